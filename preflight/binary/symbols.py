"""What an undefined symbol tells: which torch the library was built for, which side is wrong, and the cure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from preflight.facts import symbols as facts
from preflight.facts import wheels
from preflight.facts.torch import cuda_of, has_cxx11_abi, minor

LONGEST_SHOWN = 160
PACKAGES = {
    "selective_scan_cuda": "mamba-ssm",
    "causal_conv1d_cuda": "causal-conv1d",
    "flash_attn_2_cuda": "flash-attn",
}
PYTHON_TAG = re.compile(r"\.cpython-(\d)(\d{1,2})[.-]")
VERSION = re.compile(r"\d{1,3}\.\d{1,3}(?:\.\d{1,3})?(?:\+\w{1,12})?")
ABI_WORDS = {"cxx11": "the C++11 ABI (cxx11abiTRUE)", "pre": "the old C++ ABI (cxx11abiFALSE)"}


@dataclass(frozen=True, kw_only=True)
class Needed:
    """What all of some symbols say together.

    ``minors`` are the PyPI releases of torch that export them all, () where there is none, None where no symbol is
    known; ``unmeasured`` those that no symbol excludes and not all were looked for in.  ``abi`` is None where no name
    shows it.
    """

    minors: tuple[str, ...] | None
    unmeasured: tuple[str, ...] = ()
    abi: facts.Abi | None


def needed(symbols: Iterable[str]) -> Needed | None:
    """None when none of the symbols is torch's."""
    names = [s for s in symbols if facts.is_torch(s)]
    if not names:
        return None
    known = [e for e in map(facts.exports, names) if e is not None]
    left = [c for c in facts.pypi_columns() if all(e.says(c) is not False for e in known)]
    open_ = [c for c in left if any(e.says(c) is None for e in known)]
    shown = {facts.abi_of(n) for n in names} - {"neutral"}
    abi = shown.pop() if len(shown) == 1 else None
    minors = tuple(c for c in left if c not in open_) if known else None
    return Needed(minors=minors, unmeasured=tuple(open_), abi=abi)


def span(minors: Sequence[str]) -> str:
    """ "2.3 to 2.6, 2.9": runs of the releases that the table has."""
    runs: list[list[str]] = []
    for column in facts.pypi_columns():
        if column not in minors:
            continue
        before = facts.pypi_columns().index(column) - 1
        if runs and runs[-1][-1] == facts.pypi_columns()[before]:
            runs[-1].append(column)
        else:
            runs.append([column])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def readable(symbol: str) -> str:
    """The C++ that the name stands for; the name itself where it stands for none.  Cut to 160 characters."""
    from demangle import demangle  # 50 ms to import: only when there is a symbol to show

    text = demangle(symbol[: facts.LONGEST], language=("itanium",))
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def why(symbols: Sequence[str], torch: str | None) -> str | None:
    """One sentence or two; None when nothing is known of the first symbol.  ``torch`` is the version that loads it."""
    said = needed(symbols)
    if said is None:
        return None
    text = readable(symbols[0])
    name = text if text != symbols[0] else "the symbol"
    more = f" and {len(symbols) - 1} more of its symbols" if len(symbols) > 1 else ""
    abi = f"; its name is of {ABI_WORDS[said.abi]}" if said.abi else ""
    if said.minors is None:
        return (
            f"{name} belongs to torch; no release of the table ({facts.span_of_table()}) is known to export it or to "
            f"lack it{abi}"
        )
    if not said.minors:
        return f"{name}{more}: no PyPI release of torch from {facts.span_of_table()} exports it{abi}"
    verb = "are in" if more else "is in"
    open_ = f" ({span(said.unmeasured)} was not measured)" if said.unmeasured else ""
    range_ = [c for c in facts.pypi_columns() if c in said.minors or c in said.unmeasured]
    wrong = other_abi(said.abi, torch) or side(range_, torch)
    return f"{name}{more} {verb} torch {span(said.minors)} as on PyPI{open_}{abi}; {wrong}"


def other_abi(abi: facts.Abi | None, torch: str | None) -> str | None:
    """None unless this torch is known to have the other C++ ABI than the symbol's name."""
    has = has_cxx11_abi(torch, torch.partition("+")[2] or None) if torch else None
    if abi is None or has is None or has == (abi == "cxx11"):
        return None
    return f"torch {torch} has {ABI_WORDS['cxx11' if has else 'pre']}"


def side(minors: Sequence[str], torch: str | None) -> str:
    """Which side is too old or too new."""
    older = [m for m in facts.pypi_columns() if _at(m) < _at(minors[0])]
    newer = [m for m in facts.pypi_columns() if _at(m) > _at(minors[-1])]
    short = minor(torch) if torch else None
    if short is not None and short in facts.pypi_columns():
        if _at(short) < _at(minors[0]):
            return f"torch {torch} is too old for this build"
        if _at(short) > _at(minors[-1]):
            return f"this build is too old for torch {torch}"
        return (
            f"torch {torch} is in that range by its number, so it is another build of it, or not the torch that loads"
        )
    if older and newer:
        return f"the torch that refuses it is {older[-1]} or older, or {newer[0]} or newer"
    if older:
        return f"the torch that refuses it is {older[-1]} or older"
    if newer:
        return f"the torch that refuses it is {newer[0]} or newer"
    return "so torch's libraries were not loaded: import torch first"


def fix(symbols: Sequence[str], library: str, torch: str | None) -> str | None:
    """The wheel for the torch that stands, else a build against it, else the torch that this build wants."""
    said = needed(symbols)
    if said is None or said.minors is None:
        return None
    package = package_of(library)
    build = f"build {package or 'it'} against the torch that loads it: {install(package)}"
    if torch is not None and VERSION.fullmatch(torch):
        wheel = wheel_for(package, library, torch) if package else None
        if wheel is not None:
            return f"pip install --no-deps --force-reinstall {wheel.url}"
        if package in wheels.TABLE_OF:
            return f"no sound release wheel of {package} is known for torch {torch}: {build}"
        return build
    if said.minors:
        return f"{build}; or pin the torch of this build: torch {_pin(said.minors)}"
    return build


def install(package: str | None) -> str:
    return f"pip install --no-build-isolation --no-cache-dir --no-deps --force-reinstall {package or 'PACKAGE'}"


def package_of(library: str) -> str | None:
    """The distribution that a module's file comes from, for the modules that are known."""
    return next((package for module, package in PACKAGES.items() if module in library), None)


def wheel_for(package: str | None, library: str, torch: str) -> wheels.Wheel | None:
    """The newest sound release wheel for this torch and the Python in the library's name."""
    python = PYTHON_TAG.search(library)
    cuda, build = cuda_of(torch), torch.partition("+")[2] or None
    abi = has_cxx11_abi(torch, build)
    if package is None or python is None or cuda is None or cuda == "cpu" or abi is None:
        return None
    wanted = {"torch": torch.partition("+")[0], "cuda": cuda, "python": f"{python[1]}.{python[2]}"}
    release = wheels.newest_with_wheel(package, **wanted, abi=abi)
    if release is None:
        return None
    found = wheels.wheel_for(package, release.version, **wanted, abi=abi)
    return found if isinstance(found, wheels.Wheel) else None


def _pin(minors: Sequence[str]) -> str:
    """ "==2.6.*", or ">=2.3,<2.7" of a longer run; the newest run where there are several."""
    last = span(minors).rpartition(", ")[2]
    first, _, to = last.partition(" to ")
    if not to:
        return f"=={first}.*"
    after = facts.pypi_columns()[_at(to) + 1 :]
    return f">={first},<{after[0]}" if after else f">={first}"


def _at(short: str) -> int:
    return facts.pypi_columns().index(short)
