"""What the loader would say of a library, and the GPU: asked of the file, before anything is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from packaging.version import Version

from preflight.binary import symbols
from preflight.binary.elf import SharedLibrary, Unreadable, exported, shared_library
from preflight.binary.fatbin import Arch, DamagedFatbin, archs
from preflight.binary.files import Found, libraries
from preflight.facts import symbols as facts
from preflight.facts.torch import cuda_of, torch_row
from preflight.facts.wheels import wheel_name
from preflight.wording import is_or_are

MACHINE = "x86_64"  # of Modal's containers
CUDA_LIBRARY = re.compile(r"^lib(?:cudart|cublas|cublasLt)\.so\.(\d+)")
TORCH_CUDA_LIBRARY = re.compile(r"^lib(?:c10_cuda|torch_cuda\w*)\.so$")
BROUGHT = re.compile(  # by the C library, the compiler's runtime, torch with its CUDA packages, or the GPU's driver
    r"^(?:lib(?:c|m|dl|rt|util|pthread|gcc_s|stdc\+\+|gomp|z|python3?[\d.]*)|ld-linux-[\w-]+)\.so(?:\.|$)"
    r"|^lib(?:c10|torch|shm|caffe2|cuda|cublas|cudnn|cufft|curand|cusolver|cusparse|cupti|nccl|nvrtc|nvJitLink|nvToolsExt"
    r"|nvshmem|nvidia-ml|nvtx|cufile|gomp-)[\w-]*\.so(?:\.|$)"
)
FLOOR = re.compile(r"^(GLIBC|GLIBCXX|CXXABI)_(\d+(?:\.\d+){0,3})$")
DIGITS = re.compile(r"\d+")
OTHER_KIND = re.compile(r"[_-](?:rocm|hip|xpu|hpu|npu)[\d.]*\.so")
FOR_OTHERS = "for another kind of accelerator"
PYTHON_TAG = re.compile(r"\.(cpython-\d{2,4}\w*|abi3)[.-]")


class Verdict(StrEnum):
    LOADS = "loads"
    DOES_NOT_LOAD = "does-not-load"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


GRAVITY = (Verdict.LOADS, Verdict.UNKNOWN, Verdict.UNREADABLE, Verdict.DOES_NOT_LOAD)


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


@dataclass(frozen=True)
class Covered:
    """Whether a library holds code that a GPU of the target runs."""

    name: str
    sm: int
    runs: bool


@dataclass(frozen=True, kw_only=True)
class Linked:
    """One library against a target; its fields are those of the document ``preflight.link/1``.

    ``reasons`` stand in the loader's order: the first is what it would say.  ``missing_symbols`` are what the torch of
    the target lacks; without a torch, what the nearest release lacks when none has them all.  ``floors`` are the
    versions of the C and C++ libraries that must be there.  ``choice`` is what the alternatives share, one of which is
    chosen at run time; empty for a library that is loaded in any case.
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
    gpus: tuple[Covered, ...] = ()
    needed: tuple[str, ...] = ()
    floors: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    modules: tuple[str, ...] = ()
    choice: str = ""


@dataclass(frozen=True)
class Beside:
    """What the other libraries of the same wheel bring: their names, and the names of torch's kind that they export."""

    libraries: frozenset[str] = frozenset()
    symbols: frozenset[str] = frozenset()


def link(path: Path, target: Target) -> tuple[Linked, ...]:
    """Every library of a file.  Raises FileNotFoundError and nothing else."""
    read = [_read(found) for found in libraries(path)]
    readable = [one for one in read if not isinstance(one, Linked)]
    beside = Beside(
        frozenset(name for one in readable for name in (one.library.soname, one.path.rpartition("/")[2])),
        frozenset(name for one in readable for name in one.exported),
    )
    choices = _choices(readable, f"{path}/")
    judged = [one if isinstance(one, Linked) else judge(one, target, path.name, beside) for one in read]
    return tuple(replace(one, choice=choices.get(one.path, "")) for one in judged)


def whole(linked: Sequence[Linked]) -> Verdict:
    """The verdict on a file: of alternatives that are chosen at run time one must load, of the others all.

    What is for another kind of accelerator does not count, unless there is nothing else.
    """
    linked = [one for one in linked if one.choice != FOR_OTHERS] or linked
    verdicts = [one.verdict for one in linked if not one.choice]
    for choice in dict.fromkeys(one.choice for one in linked if one.choice):
        verdicts.append(min((one.verdict for one in linked if one.choice == choice), key=GRAVITY.index))
    return max(verdicts, key=GRAVITY.index)


@dataclass(frozen=True)
class Library:
    """``exported`` are names of torch's kind."""

    path: str
    library: SharedLibrary
    archs: tuple[Arch, ...]
    exported: tuple[str, ...] = ()


def _read(found: Found) -> Library | Linked:
    if found.refused:
        return Linked(path=found.path, verdict=Verdict.UNREADABLE, reasons=(found.refused,))
    try:
        library = shared_library(found.data)
        names = tuple(name for name, _ in exported(found.data) if facts.is_kept(name))
        return Library(found.path, library, archs(found.data, library), names)
    except (Unreadable, DamagedFatbin) as e:
        return Linked(path=found.path, verdict=Verdict.UNREADABLE, reasons=(str(e),))


def _choices(libraries: Sequence[Library], file: str) -> dict[str, str]:
    """Path → the name that alternatives share: libraries of one folder whose names differ in digits alone.

    One that another library needs, or that is a Python module, is no alternative.
    """
    needed = {name for one in libraries for name in one.library.needed}
    groups: dict[str, list[Library]] = {}
    for one in libraries:
        name = one.path.rpartition("/")[2]
        if not {name, one.library.soname} & needed and not one.library.init_functions:
            folder = one.path.removeprefix(file).removesuffix(name)
            kind = FOR_OTHERS if OTHER_KIND.search(name) else folder + DIGITS.sub("#", name)
            groups.setdefault(kind, []).append(one)
    return {one.path: name for name, group in groups.items() if len(group) > 1 or name == FOR_OTHERS for one in group}


def judge(one: Library, target: Target, file: str, beside: Beside = Beside()) -> Linked:
    """``file`` is the name of the file that holds it."""
    library, archs, path = one.library, one.archs, one.path
    foreign = tuple(n for n in library.needed if n not in beside.libraries and not BROUGHT.match(n))
    of_torch = {s: facts.exports(s) for s in library.undefined if facts.is_torch(s) and s not in beside.symbols}
    if foreign:  # what no torch exports may come from there
        of_torch = {s: e if e is None or e.by else None for s, e in of_torch.items()}
    versions = tuple(_versions(library, of_torch))
    missing, unknown = _lacking(of_torch, target, versions)
    shown = symbols.abi_of_all(of_torch)
    abi = None if shown is None else shown == "cxx11"
    says = (
        *_of_libraries(library, target, foreign),
        *_of_symbols(len(of_torch), missing, unknown, target, versions),
        *_of_gpus(archs, target),
    )
    gravest = max((verdict for verdict, _ in says), key=GRAVITY.index, default=Verdict.LOADS)
    _, unmeasured = symbols.fitting(of_torch.values())
    of_python = [name for name in library.needed if name.startswith("libpython")]
    tag = PYTHON_TAG.search(path)
    return Linked(
        path=path,
        verdict=gravest,
        reasons=tuple(reason for verdict, reason in says if verdict is gravest),
        notes=(
            *_of_name(file, abi, versions),
            *(["it holds no GPU code"] if target.gpus and of_torch and not archs else []),
            *(f"it needs {name}, which a Python that is linked statically has not" for name in of_python),
            *([f"torch {symbols.span(unmeasured)} was not measured for some of its symbols"] if unmeasured else []),
        ),
        remedy=_remedy(library, missing, versions, target, path) if gravest is Verdict.DOES_NOT_LOAD else "",
        torch_versions=versions,
        cxx11abi=abi,
        missing_symbols=missing,
        unknown_symbols=unknown,
        torch_symbols=len(of_torch),
        archs=archs,
        gpus=tuple(Covered(g.name, g.sm, any(a.runs_on(g.sm) for a in archs)) for g in target.gpus) if archs else (),
        needed=library.needed,
        floors=_floors(library),
        python=tag[1] if tag else "",
        modules=tuple(f.removeprefix("PyInit_") for f in library.init_functions),
    )


def _of_name(file: str, abi: bool | None, versions: Sequence[str]) -> Iterator[str]:
    """What a wheel's name says and its symbols deny."""
    name = wheel_name(file)
    if name is None or name.torch is None or not versions:
        return
    if name.torch not in {v.partition("+")[0] for v in versions}:
        yield f"its name says torch {name.torch}; its symbols are of torch {symbols.spoken(versions)}"
    if name.abi is not None and abi is not None and (name.abi == "TRUE") != abi:
        yield f"its name says cxx11abi{name.abi}; its symbols say cxx11abi{str(abi).upper()}"


def _floors(library: SharedLibrary) -> dict[str, str]:
    """The newest version that it asks of each of the C and C++ libraries: the oldest system that it takes."""
    versions: dict[str, list[Version]] = {kind: [] for kind in ("GLIBC", "GLIBCXX", "CXXABI")}
    for _, version in library.versions:
        if found := FLOOR.match(version):
            versions[found[1]].append(Version(found[2]))
    return {kind: str(max(found)) for kind, found in versions.items() if found}


def _versions(library: SharedLibrary, of_torch: ByName) -> Iterator[str]:
    """The releases, by their PyPI wheel and the +cu126 build of 2.6, that export every symbol that was measured."""
    known = symbols.distinct(of_torch.values())
    majors = {m[1] for n in library.needed if (m := CUDA_LIBRARY.match(n))}
    for column in facts.pypi_columns():
        row = torch_row(column)
        assert row is not None, column
        cudas = {row.pypi_cuda.partition(".")[0], *(b[2:4] for b in row.builds)}
        if majors - cudas:
            continue
        if all(e.says(column) for e in known):
            yield column
        elif column == "2.6" and all(e.says(facts.CXX11_26) for e in known):
            yield "2.6+cu126"


def _lacking(of_torch: ByName, target: Target, versions: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The symbols that torch lacks, and those of which it is not known."""
    if target.torch is not None:
        column = facts.column_of(target.torch)
        if column is None:
            return (), tuple(of_torch)
        answers = {n: e.says(column) if e else None for n, e in of_torch.items()}
        return tuple(n for n, a in answers.items() if a is False), tuple(n for n, a in answers.items() if a is None)
    unknown = tuple(n for n, e in of_torch.items() if e is None)
    if versions:
        return (), unknown
    lacking = {c: tuple(n for n, e in of_torch.items() if e and e.says(c) is False) for c in facts.columns()}
    return min(lacking.values(), key=len), unknown


ByName = Mapping[str, facts.Exports | None]  # of each symbol of torch that must be found
Says = Iterator[tuple[Verdict, str]]  # DOES_NOT_LOAD or UNKNOWN, and why


def _of_libraries(library: SharedLibrary, target: Target, foreign: Sequence[str]) -> Says:
    """Its machine, what it needs of CUDA beside torch, and what nobody brings."""
    if library.machine != MACHINE:
        yield Verdict.DOES_NOT_LOAD, f"it is built for {library.machine}; Modal's machines are {MACHINE}"
    if name := _other_cuda(library, target):
        cuda = cuda_of(target.torch or "")
        brings = "has no CUDA" if cuda == "cpu" else f"brings CUDA {cuda}"
        absent = "cannot open shared object file: No such file or directory"
        yield Verdict.DOES_NOT_LOAD, f"{name}: {absent} (torch {target.torch} {brings})"
    if foreign:
        verb = is_or_are(foreign)
        yield Verdict.UNKNOWN, f"{', '.join(foreign)} {verb} brought neither by torch nor by this file: not looked for"


def _other_cuda(library: SharedLibrary, target: Target) -> str:
    """The first CUDA library of another major than torch's; of torch's own, where torch has no CUDA; else ""."""
    cuda = cuda_of(target.torch) if target.torch else None
    if cuda is None:
        return ""
    for name in library.needed:
        found = CUDA_LIBRARY.match(name)
        is_of_torch = cuda == "cpu" and TORCH_CUDA_LIBRARY.match(name)
        if is_of_torch or (found and found[1] != cuda.partition(".")[0]):
            return name
    return ""


def _of_symbols(
    count: int, missing: Sequence[str], unknown: Sequence[str], target: Target, versions: Sequence[str]
) -> Says:
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        none = f"no release from {facts.span_of_table()} has all that it needs"
        where = f"torch {target.torch} lacks it" if target.torch else none
        text = f"undefined symbol: {missing[0]}{more}: {symbols.readable(missing[0])}; {where}"
        yield Verdict.DOES_NOT_LOAD, text
    elif target.torch is not None and facts.column_of(target.torch) is None and count:
        yield Verdict.UNKNOWN, f"torch {target.torch} is not in the table, which has {facts.span_of_table()}"
    elif unknown:
        of = f"torch {target.torch}" if target.torch else "any torch"
        were, more = ("was", "") if len(unknown) == 1 else ("were", ", …")
        text = f"{len(unknown)} of its {count} symbols of torch {were} never looked for in {of}: {unknown[0]}{more}"
        yield Verdict.UNKNOWN, text
    elif not versions and target.torch is None:
        yield Verdict.UNKNOWN, "no release of torch was measured for all of its symbols and its CUDA"


def _of_gpus(archs: Sequence[Arch], target: Target) -> Says:
    for gpu in target.gpus if archs else ():
        if not any(a.runs_on(gpu.sm) for a in archs):
            holds = ", ".join(map(str, archs))
            yield Verdict.DOES_NOT_LOAD, f"no kernel image for {gpu.name} (sm_{gpu.sm}, {gpu.by}): it holds {holds}"


def _remedy(library: SharedLibrary, missing: Sequence[str], versions: Sequence[str], target: Target, path: str) -> str:
    package = symbols.package_of(path)
    build = f": {symbols.install(package)}" if package else " from its sources"
    if target.torch is not None and (missing or _other_cuda(library, target)):
        wheel = symbols.wheel_for(package, path, target.torch)
        if wheel is not None:
            return f"take {wheel.url}"
        fits = f", or take torch {symbols.spoken(versions)}" if versions else ""
        return f"build {package or 'it'} against torch {target.torch}{build}{fits}"
    if missing:
        return f"build {package or 'it'} against one torch{build}"
    if library.machine != MACHINE:
        return f"take the file for {MACHINE}"
    return "build it where nvcc knows these GPUs, or ask for a GPU that it holds code for"
