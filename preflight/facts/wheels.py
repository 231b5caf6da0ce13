"""Which wheel a release page holds for a torch, and what a wheel's file name says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from preflight.facts.in_force import kept
from preflight.facts.load import rows
from preflight.facts.torch import minor, number
from preflight.facts.types import (
    BUILD_TIMES,
    CAUSAL_CONV1D,
    FLASH_ATTN,
    MAMBA_SSM,
    OTHER_RELEASES,
    BuildTime,
    Release,
    WheelSet,
)

OLDEST = {  # the first release of each that is of use with torch 2
    "flash-attn": "2.0",
    "xformers": "0.0.17",
    "bitsandbytes": "0.43",
    "deepspeed": "0.9",
    "natten": "0.14",
    "gsplat": "0.1",
    "sageattention": "1.0",
    "torch-scatter": "2.1",
    "torch-sparse": "0.6.16",
    "torch-cluster": "1.6",
    "torch-spline-conv": "1.2.1",
    "transformer-engine": "1.9",
    "transformer-engine-torch": "1.9",
}
TABLE_OF = {"mamba-ssm": MAMBA_SSM, "causal-conv1d": CAUSAL_CONV1D} | {
    name: FLASH_ATTN if name == "flash-attn" else OTHER_RELEASES for name in OLDEST
}
PAGE_OF = {
    "mamba-ssm": "https://github.com/state-spaces/mamba/releases/download",
    "causal-conv1d": "https://github.com/Dao-AILab/causal-conv1d/releases/download",
    "flash-attn": "https://github.com/Dao-AILab/flash-attention/releases/download",
}
TAGS = re.compile(
    r"(?:^|[+.])(?P<cuda>cu\d+)(?:\.?torch|torch)(?P<torch>\d+\.\d+)(?:\.\d+)?"
    r"(?:\.?cxx11abi(?P<abi>TRUE|FALSE))?",
    re.IGNORECASE,
)
FILE = re.compile(r"(?P<name>[A-Za-z0-9_.]+?)-(?P<version>[^-]+)(?:-\d[^-]*)?-(?P<py>[^-]+)-(?P<abi>[^-]+)-[^-]+\.whl$")


@dataclass(frozen=True)
class Wheel:
    """A file of a release page.  ``broken`` says why it can't load although its name fits."""

    filename: str
    url: str
    broken: str = ""


@dataclass(frozen=True)
class NoWheel:
    """The release is known and has no wheel for this torch; ``why`` names what is missing."""

    why: str


@dataclass(frozen=True)
class WheelName:
    """What the file name of a wheel says; None where it says nothing.  ``python`` is "3.11", None for py3 or abi3."""

    name: str
    version: str
    python: str | None
    torch: str | None
    cuda: str | None  # "11", "12", "13": the major
    abi: str | None  # "TRUE" or "FALSE"


@kept
def releases(package: str) -> tuple[Release, ...]:
    table = TABLE_OF.get(package)
    return tuple(row for row in rows(table) if row.package == package) if table else ()


@kept
def release(package: str, version: str) -> Release | None:
    """The row of a release.  None: it is not in the table."""
    return next((r for r in releases(package) if same_version(r.version, version)), None)


@kept
def on_pypi(package: str) -> tuple[Release, ...]:
    """The releases that the table knows to be there, newest first."""
    return tuple(sorted((r for r in releases(package) if r.on_pypi), key=lambda r: Version(r.version), reverse=True))


def newest(package: str) -> Release | None:
    """What an unpinned install takes: the newest release on PyPI that the table knows."""
    return next(iter(on_pypi(package)), None)


def newest_within(package: str, specifier: SpecifierSet) -> Release | None:
    """The release that pip takes for ``specifier``: the newest on PyPI that the table knows; None when none fits."""
    return next((r for r in on_pypi(package) if specifier.contains(r.version)), None)


def newest_with_wheel(package: str, *, torch: str, cuda: str, python: str, abi: bool) -> Release | None:
    """The newest release on PyPI with a sound wheel for this torch; None when there is none."""
    for row in on_pypi(package):
        found = wheel_for(package, row.version, torch=torch, cuda=cuda, python=python, abi=abi)
        if isinstance(found, Wheel) and not found.broken:
            return row
    return None


def wheel_for(package: str, version: str, *, torch: str, cuda: str, python: str, abi: bool) -> Wheel | NoWheel | None:
    """The wheel that setup.py of this release would fetch.

    ``torch`` "2.5.1", ``cuda`` "12.4" (torch's own), ``python`` "3.11", ``abi`` torch's C++11 ABI.
    None: the release is not in the table, or its wheels were not read.
    """
    row = release(package, version)
    if row is None:
        return None
    subject = f"{package} {version}"
    if row.no_wheels_from and number(torch) >= number(row.no_wheels_from):
        return NoWheel(f"{subject} has no wheel for torch {row.no_wheels_from} or newer")
    if not row.matrix_known:
        return None
    if not row.wheels:
        return NoWheel(f"{subject} has no wheels on its release page")
    label, short, major = ("TRUE" if abi else "FALSE"), minor(torch), cuda.split(".")[0]
    narrower: tuple[tuple[Callable[[WheelSet], bool], str], ...] = (
        (lambda w: short in w.torch, f"wheels for torch {_range(row)}, none for torch {short}"),
        (lambda w: w.cuda == major, f"no CUDA {major} wheel for torch {short}"),
        (lambda w: python in w.python, f"no wheel for Python {python} with torch {short}"),
        (lambda w: label in w.abi, f"no cxx11abi{label} wheel for torch {short}"),
    )
    left = row.wheels
    for fits, has in narrower:
        left = tuple(filter(fits, left))
        if not left:
            return NoWheel(f"{subject} has {has}")
    tag = "cp" + python.replace(".", "")
    name = package.replace("-", "_")
    file = f"{name}-{row.version}+{row.cuda_labels[major]}torch{short}cxx11abi{label}-{tag}-{tag}-linux_x86_64.whl"
    return Wheel(file, f"{PAGE_OF[package]}/v{row.version}/{file}", left[0].broken)


def archs_of(row: Release, nvcc: str) -> tuple[int, ...]:
    """The GPU architectures that setup.py of this release compiles for with ``nvcc`` ("12.8"): 90 is sm_90."""
    found = []
    for written in row.archs:  # "90", or "100 nvcc >= 12.8"
        arch, _, condition = written.partition(" nvcc ")
        operator, _, bound = condition.partition(" ")
        is_within = number(nvcc) >= number(bound) if operator == ">=" else number(nvcc) <= number(bound)
        if is_within or not condition:
            found.append(int(arch))
    return tuple(sorted(found))


def archs_in_wheel(row: Release, cuda: str) -> tuple[int, ...]:
    """The architectures in the release wheels labelled for CUDA ``cuda`` ("12"), by the toolkit that built them."""
    knows_blackwell = any(a.startswith("100 ") for a in row.archs)
    nvcc = {"11": "11.8", "13": "13.0"}.get(cuda, "12.9" if knows_blackwell else "12.2")
    return archs_of(row, nvcc)


@kept
def build_time(package: str) -> BuildTime | None:
    return next((b for b in rows(BUILD_TIMES) if b.package == package), None)


def torch_range(package: str, version: str) -> str | None:
    """ "2.6 to 2.10": the torch minors that this release has wheels for."""
    row = release(package, version)
    return _range(row) if row is not None and row.wheels else None


def _range(row: Release) -> str:
    minors = sorted({t for w in row.wheels for t in w.torch}, key=Version)
    return f"{minors[0]} to {minors[-1]}" if len(minors) > 1 else minors[0]


def file_of(url: str) -> str:
    """The file name at the end of an address, its ``%2B`` and the like as they are meant."""
    return unquote(url.split("#")[0].split("?")[0]).rsplit("/", 1)[-1]


def wheel_name(url: str) -> WheelName | None:
    """What the file name at the end of a wheel's address says.  None when it is no wheel."""
    found = FILE.match(file_of(url))
    if not found:
        return None
    tags = TAGS.search(found["version"])
    py = re.fullmatch(r"cp(\d)(\d+)", found["py"])
    exact = py if py and found["abi"] != "abi3" else None
    return WheelName(
        name=found["name"].lower().replace("_", "-"),
        version=found["version"].split("+")[0],
        python=f"{exact[1]}.{exact[2]}" if exact else None,
        torch=minor(tags["torch"]) if tags else None,
        cuda=tags["cuda"][2:4] if tags else None,
        abi=tags["abi"].upper() if tags and tags["abi"] else None,
    )


def same_version(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
