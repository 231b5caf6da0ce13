"""torch.toml from the index: one row a minor, read from its Linux x86_64 wheels by ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec
from packaging.version import Version

from preflight.facts.refresh.source import Index, IndexFile, NotRead, final_releases, requires
from preflight.facts.types import How, TorchRow
from preflight.toml_rows import typed

OLDEST = "2.0"
PYTHON = "3.11"  # the wheel that is opened, where it is there
LINUX = {"platform_system": "Linux", "platform_machine": "x86_64", "python_version": PYTHON, "extra": ""}
MEMBERS = r"torch/(?:version\.py|utils/cpp_extension\.py|lib/libc10\.so|lib/libtorch_python\.so|" + (
    r"include/torch/csrc/api/include/torch/all\.h)"
)
ARCHS = re.compile(rb"(?:sm_\d+ )+sm_\d+")
GLIBC = re.compile(rb"GLIBC_2\.(\d+)\0")
OLD_GLIBC = 17  # of libtorch_cpu, which is not opened, in every release before the manylinux_2_28 tags
STD = re.compile(r"-std=c\+\+(\d+)")
LEAST_STD = re.compile(rb"#error C\+\+(\d+) or later")
NEW_STRING = b"torchCheckFailEPKcS2_jRKNSt7__cxx11"  # c10::detail::torchCheckFail(…, std::__cxx11::string const&)
SOURCE = (
    "METADATA, version.py, libtorch_python.so and cpp_extension.py of the wheel; "
    "the public wheel index for the +cu builds"
)


def rows(index: Index, local: Mapping[str, list[str]], known: Iterable[TorchRow], today: date) -> Iterator[TorchRow]:
    """A row a minor.  One that is known, with the same patches, is not opened again.

    ``local`` names the +cu builds of a minor, where their index was read.  Raises NotRead.
    """
    of_known = {row.minor: row for row in known}
    companions = {name: _Companion(index, name) for name in ("torchvision", "torchaudio")}
    for minor, patches in _minors(index).items():
        before, names = of_known.get(minor), [str(v) for v in patches]
        same = before if before is not None and list(before.patches) == names else None
        found = msgspec.structs.asdict(same) if same else _read(index, minor, patches)
        row = {**found, "minor": minor, "patches": names, "source": SOURCE, "seen": today, "how": How.READ}
        row |= {n: (same and getattr(same, n)) or companion.of(patches) for n, companion in companions.items()}
        if minor in local:
            row |= {"builds": local[minor], "builds_known": True}
        elif before:
            row |= {"builds": before.builds, "builds_known": before.builds_known}
            if before.builds_known and before.seen != today:
                row["source"] = f"{SOURCE}, {before.seen}"
        else:
            row |= {"builds": [f"cu{str(found['pypi_cuda']).replace('.', '')}"], "builds_known": False}
        mixed = before.cxx11_abi_builds if before and not before.cxx11_abi else ()
        row["cxx11_abi_builds"] = row["builds"] if found["cxx11_abi"] else mixed
        row["note"] = before.note if before else ""
        yield typed(row, TorchRow, f"torch {minor}")


def _minors(index: Index) -> dict[str, dict[Version, list[IndexFile]]]:
    found: dict[str, dict[Version, list[IndexFile]]] = {}
    for version, files in final_releases(index, "torch", OLDEST).items():
        if wheels := [f for f in files if f.is_linux_wheel and f.pythons]:
            found.setdefault(f"{version.major}.{version.minor}", {})[version] = wheels
    return found


def _read(index: Index, minor: str, patches: Mapping[Version, list[IndexFile]]) -> dict[str, object]:
    pythons = {p for files in patches.values() for f in files for p in f.pythons}
    wheels = [_wheel(files) for files in patches.values()]
    members = {name.rsplit("/", 1)[-1]: data for name, data in index.members(wheels[-1], MEMBERS).items()}
    missing = {"version.py", "cpp_extension.py", "libc10.so", "libtorch_python.so"} - members.keys()
    if missing:
        raise NotRead(f"{wheels[-1].filename} has no {', '.join(sorted(missing))}")
    library, std = members["libtorch_python.so"], STD.findall(members["cpp_extension.py"].decode("utf-8", "replace"))
    cuda = re.search(rb"^cuda(?:: [^=]+)? = '([\d.]+)'", members["version.py"], re.MULTILINE)
    archs = max(ARCHS.findall(library), key=len, default=b"")
    least_std = LEAST_STD.search(members.get("all.h", b""))
    tag = re.search(r"manylinux_2_(\d+)", wheels[-1].filename)
    glibc = int(tag[1]) if tag else max(OLD_GLIBC, *map(int, GLIBC.findall(members["libc10.so"] + library)))
    return {
        "pypi_cuda": cuda[1].decode() if cuda else "",
        "python": sorted(pythons, key=Version),
        "triton": _triton([index.metadata(w) for w in wheels], max(pythons, key=Version)),
        "sm": sorted({int(a.removeprefix("sm_")) for a in archs.decode().split()}),
        "cxx11_abi": NEW_STRING in members["libc10.so"],
        "cxx_std": int(std[0]) if std else 17,
        "enforces_cxx20": bool(least_std and int(least_std[1]) >= 20),
        "numpy2": b"numpy._core" in library,
        "glibc": f"2.{glibc}",
    }


def _wheel(files: Iterable[IndexFile]) -> IndexFile:
    return min(files, key=lambda f: (PYTHON not in f.pythons, f.filename))


def _triton(texts: Iterable[str], newest_python: str) -> str:
    """ "2.3.0/2.3.1 (<3.12)": what the patches pin, and below which Python alone."""
    pins: dict[str, None] = {}
    limit = ""
    for requirement in (r for text in texts for r in requires(text) if r.name == "triton"):
        if requirement.marker is None or requirement.marker.evaluate(LINUX):
            pins[str(requirement.specifier).removeprefix("==")] = None
            bound = re.search(r'python_version < "([\d.]+)"', str(requirement.marker or ""))
            limit = f" (<{bound[1]})" if bound and Version(bound[1]) <= Version(newest_python) else ""
    return "/".join(pins) + limit


class _Companion:
    """torchvision or torchaudio: which minor of it pins which torch, read from the newest on as far as needed."""

    def __init__(self, index: Index, name: str) -> None:
        self._pins: dict[str, str] = {}
        self._unread = [
            (version, wheels)
            for version, files in final_releases(index, name).items()
            if (wheels := [f for f in files if f.is_linux_wheel])
        ]
        self._index = index

    def of(self, patches: Iterable[Version]) -> str:
        """ "0.20"; "" where none pins one of these releases of torch."""
        wanted = {v.public for v in patches}
        while self._unread and not wanted & self._pins.keys():
            version, wheels = self._unread.pop()
            for r in requires(self._index.metadata(_wheel(wheels))):
                if r.name == "torch":
                    pin = str(r.specifier).removeprefix("==")
                    self._pins.setdefault(pin, f"{version.major}.{version.minor}")
        return next((self._pins[p] for p in sorted(wanted, key=Version, reverse=True) if p in self._pins), "")


def local_builds(builds: Index) -> dict[str, list[str]]:
    """Minor → "cu126" and the like, of the index that holds all builds.  Raises NotRead."""
    found: dict[str, set[str]] = {}
    for file in builds.files("torch"):
        if file.version and file.is_linux_wheel and re.fullmatch(r"cu\d+", file.version.local or ""):
            found.setdefault(f"{file.version.major}.{file.version.minor}", set()).add(file.version.local or "")
    return {minor: sorted(local) for minor, local in found.items()}
