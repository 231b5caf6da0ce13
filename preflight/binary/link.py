"""What the loader would say of a library, and the GPU: asked of the file, before anything is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from packaging.version import Version

from preflight.binary.elf import SharedLibrary, Unreadable, shared_library
from preflight.binary.fatbin import Arch, DamagedFatbin, archs
from preflight.binary.files import Found, libraries
from preflight.diagnosis import symbols as said_by
from preflight.facts import symbols as facts
from preflight.facts import wheels
from preflight.facts.torch import cuda_of, torch_row
from preflight.facts.types import How

MACHINE = "x86_64"  # of Modal's containers
CUDA_LIBRARY = re.compile(r"^lib(?:cudart|cublas|cublasLt)\.so\.(\d+)")
TORCH_CUDA_LIBRARY = re.compile(r"^lib(?:c10_cuda|torch_cuda\w*)\.so$")
PYTHON_TAG = re.compile(r"\.(cpython-\d{2,4}\w*|abi3)[.-]")
FLOORS = ("GLIBC", "GLIBCXX", "CXXABI")
FLOOR = re.compile(r"^(GLIBC|GLIBCXX|CXXABI)_(\d+(?:\.\d+){0,3})$")


class Verdict(StrEnum):
    LOADS = "loads"
    DOES_NOT_LOAD = "does-not-load"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class WantedGpu:
    """``by`` says who asks for it: "--gpu", or the app's function."""

    name: str
    sm: int
    by: str


@dataclass(frozen=True)
class Target:
    """``torch`` is a release, None where none was named."""

    torch: str | None = None
    gpus: tuple[WantedGpu, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Linked:
    """One library against a target.

    ``reasons`` stand in the loader's order: the first is what it would say.  ``missing_symbols`` are what the torch of
    the target lacks; without a torch, what the nearest release lacks when none has them all.  ``floors`` are the
    versions of the C and C++ libraries that must be there.
    """

    path: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    remedy: str = ""
    torch_versions: tuple[str, ...] = ()
    cxx11abi: bool | None = None
    missing_symbols: tuple[str, ...] = ()
    unknown_symbols: tuple[str, ...] = ()
    torch_symbols: int = 0
    archs: tuple[Arch, ...] = ()
    gpus: tuple[tuple[WantedGpu, bool], ...] = ()
    needed: tuple[str, ...] = ()
    floors: tuple[tuple[str, str], ...] = ()
    python: str = ""
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Says:
    """What was found out in one respect: reasons not to load, and what could not be decided."""

    reasons: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def link(path: Path, target: Target) -> tuple[Linked, ...]:
    """Every library of a file.  Raises FileNotFoundError and nothing else."""
    return tuple(_linked(found, target, path.name) for found in libraries(path))


def _linked(found: Found, target: Target, file: str) -> Linked:
    if found.refused:
        return Linked(path=found.path, verdict=Verdict.UNREADABLE, reasons=(found.refused,))
    try:
        library = shared_library(found.data)
        held = archs(found.data, library)
    except (Unreadable, DamagedFatbin) as e:
        return Linked(path=found.path, verdict=Verdict.UNREADABLE, reasons=(str(e),))
    return judge(library, held, target, path=found.path, file=file)


def judge(library: SharedLibrary, held: tuple[Arch, ...], target: Target, *, path: str, file: str) -> Linked:
    names = tuple(s for s in library.undefined if facts.is_torch(s))
    versions = tuple(_versions(library, names))
    missing, unknown = _lacking(library, names, target, versions)
    says = (
        _of_machine(library),
        _of_libraries(library, target),
        _of_symbols(names, missing, unknown, target, versions),
        _of_gpus(held, target),
    )
    reasons = tuple(r for s in says for r in s.reasons)
    open_ = tuple(u for s in says for u in s.unknown)
    verdict = Verdict.DOES_NOT_LOAD if reasons else Verdict.UNKNOWN if open_ else Verdict.LOADS
    tag = PYTHON_TAG.search(path)
    return Linked(
        path=path,
        verdict=verdict,
        reasons=reasons or open_,
        notes=tuple(_notes(library, names, versions, file, asks_gpu=bool(target.gpus) and not held)),
        remedy=_remedy(library, missing, versions, target, path) if reasons else "",
        torch_versions=versions,
        cxx11abi=_cxx11abi(names),
        missing_symbols=missing,
        unknown_symbols=unknown,
        torch_symbols=len(names),
        archs=held,
        gpus=tuple((g, any(a.runs_on(g.sm) for a in held)) for g in target.gpus) if held else (),
        needed=library.needed,
        floors=tuple(_floors(library)),
        python=tag[1] if tag else "",
        modules=tuple(f.removeprefix("PyInit_") for f in library.init_functions),
    )


def _versions(library: SharedLibrary, names: Sequence[str]) -> Iterator[str]:
    """The releases, by their PyPI wheel and the +cu126 build of 2.6, that export every symbol that was measured."""
    known = [e for e in map(facts.exports, names) if e is not None]
    majors = {m[1] for n in library.needed if (m := CUDA_LIBRARY.match(n))}
    for column in facts.PYPI_COLUMNS:
        row = torch_row(column)
        assert row is not None, column
        cudas = {row.pypi_cuda.partition(".")[0], *(b[2:4] for b in row.builds)}
        if majors - cudas:
            continue
        if all(e.says(column) is not False and (e.says(column) or e.how is not How.READ) for e in known):
            yield column
        elif column == "2.6" and all(e.says(facts.CXX11_26) for e in known):
            yield "2.6+cu126"


def _lacking(
    library: SharedLibrary, names: Sequence[str], target: Target, versions: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The symbols that torch lacks, and those of which it is not known."""
    said = {n: facts.exports(n) for n in names}
    if target.torch is not None:
        column = facts.column_of(target.torch)
        if column is None:
            return (), tuple(names)
        answers = {n: e.says(column) if e else None for n, e in said.items()}
        return tuple(n for n in names if answers[n] is False), tuple(n for n in names if answers[n] is None)
    unknown = tuple(n for n in names if said[n] is None)
    if versions:
        return (), unknown
    lacking = {c: tuple(n for n, e in said.items() if e and e.says(c) is False) for c in facts.COLUMNS}
    return min(lacking.values(), key=len), unknown


def _of_machine(library: SharedLibrary) -> _Says:
    if library.machine == MACHINE:
        return _Says()
    return _Says((f"it is built for {library.machine}; Modal's machines are {MACHINE}",))


def _of_libraries(library: SharedLibrary, target: Target) -> _Says:
    cuda = cuda_of(target.torch) if target.torch else None
    if cuda is None:
        return _Says()
    absent = "cannot open shared object file: No such file or directory"
    if cuda == "cpu":
        named = next((n for n in library.needed if TORCH_CUDA_LIBRARY.match(n) or CUDA_LIBRARY.match(n)), None)
        return _Says((f"{named}: {absent} (torch {target.torch} has no CUDA)",)) if named else _Says()
    for name in library.needed:
        found = CUDA_LIBRARY.match(name)
        if found and found[1] != cuda.partition(".")[0]:
            return _Says((f"{name}: {absent} (torch {target.torch} brings CUDA {cuda})",))
    return _Says()


def _of_symbols(
    names: Sequence[str], missing: Sequence[str], unknown: Sequence[str], target: Target, versions: Sequence[str]
) -> _Says:
    total = f"{len(names)} symbols of torch"
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        where = (
            f"torch {target.torch} lacks it" if target.torch else "no release from 2.0 to 2.15 has all that it needs"
        )
        return _Says((f"undefined symbol: {missing[0]}{more}: {said_by.readable(missing[0])}; {where}",))
    if target.torch is not None and facts.column_of(target.torch) is None and names:
        return _Says(unknown=(f"torch {target.torch} is not in the table, which has 2.0 to 2.15",))
    if unknown:
        of = f"torch {target.torch}" if target.torch else "any torch"
        return _Says(unknown=(f"{len(unknown)} of its {total} were never looked for in {of}, as {unknown[0]}",))
    if not versions and target.torch is None:
        return _Says(unknown=("no release of torch was measured for all of its symbols and its CUDA",))
    return _Says()


def _of_gpus(held: Sequence[Arch], target: Target) -> _Says:
    if not held:
        return _Says()
    lacking = [g for g in target.gpus if not any(a.runs_on(g.sm) for a in held)]
    holds = ", ".join(map(str, held))
    return _Says(tuple(f"no kernel image for {g.name} (sm_{g.sm}, {g.by}): it holds {holds}" for g in lacking))


def _remedy(library: SharedLibrary, missing: Sequence[str], versions: Sequence[str], target: Target, path: str) -> str:
    package = said_by.package_of(path)
    if target.torch is not None:
        wheel = said_by.wheel_for(package, path, target.torch)
        if wheel is not None and (missing or _of_libraries(library, target).reasons):
            return f"take {wheel.url}"
        if missing or _of_libraries(library, target).reasons:
            fits = f", or take torch {spoken(versions)}" if versions else ""
            return f"build {package or 'it'} against torch {target.torch}: {said_by.install(package)}{fits}"
    if missing:
        return f"build {package or 'it'} against one torch: {said_by.install(package)}"
    if library.machine != MACHINE:
        return f"take the file for {MACHINE}"
    return "build it where nvcc knows these GPUs, or ask for a GPU that it holds code for"


def _notes(
    library: SharedLibrary, names: Sequence[str], versions: Sequence[str], file: str, *, asks_gpu: bool
) -> Iterator[str]:
    """What is worth knowing and decides nothing."""
    name = wheels.wheel_name(file)
    if name is not None and name.torch is not None and names and versions:
        abi = _cxx11abi(names)
        if name.torch not in {v.partition("+")[0] for v in versions}:
            yield f"its name says torch {name.torch}; its symbols are of torch {spoken(versions)}"
        if name.abi is not None and abi is not None and (name.abi == "TRUE") != abi:
            yield f"its name says cxx11abi{name.abi}; its symbols say cxx11abi{str(abi).upper()}"
    if asks_gpu:
        yield "it holds no GPU code"
    python = next((n for n in library.needed if n.startswith("libpython")), None)
    if python:
        yield f"it needs {python}, which a Python that is linked statically has not"
    read = [e for e in map(facts.exports, names) if e is not None and e.how is How.READ]
    excluded = [c for c in facts.PYPI_COLUMNS if any(e.says(c) is False for e in read)]
    gaps = [c for c in facts.PYPI_COLUMNS if c not in excluded and any(e.says(c) is None for e in read)]
    if gaps:
        yield f"torch {said_by.span(gaps)} was not measured for some of its symbols"


def spoken(versions: Sequence[str]) -> str:
    """ "2.6+cu126 to 2.9" said in the order of the releases."""
    plain = said_by.span([v for v in versions if "+" not in v])
    return ", ".join([*(v for v in versions if "+" in v), *([plain] if plain else [])])


def _cxx11abi(names: Sequence[str]) -> bool | None:
    """None where no symbol of torch shows it, or where they show both."""
    shown = {facts.abi_of(n) for n in names} - {"neutral"}
    return shown == {"cxx11"} if len(shown) == 1 else None


def _floors(library: SharedLibrary) -> Iterator[tuple[str, str]]:
    newest: dict[str, Version] = {}
    for _, version in library.versions:
        found = FLOOR.match(version)
        if found:
            newest[found[1]] = max(newest.get(found[1], Version("0")), Version(found[2]))
    yield from ((kind, str(newest[kind])) for kind in FLOORS if kind in newest)
