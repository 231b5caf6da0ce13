"""What an undefined symbol tells: which torch the library was built for, which side is wrong, and the cure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

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
    exports = [facts.exports(name) for name in names]
    left, unmeasured = fitting(exports)
    minors = tuple(c for c in left if c not in unmeasured) if any(exports) else None
    return Needed(minors=minors, unmeasured=unmeasured, abi=abi_of_all(names))


def distinct(exports: Iterable[facts.Exports | None]) -> tuple[facts.Exports, ...]:
    """Thousands of symbols share some hundred answers."""
    return tuple({id(e): e for e in exports if e is not None}.values())


def fitting(exports: Iterable[facts.Exports | None]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The releases on PyPI that no symbol excludes, and those of them that were not looked at for all symbols."""
    known = distinct(exports)
    left = tuple(c for c in facts.pypi_columns() if all(e.says(c) is not False for e in known))
    return left, tuple(c for c in left if any(e.says(c) is None for e in known))


def abi_of_all(names: Iterable[str]) -> facts.Abi | None:
    """None where no symbol of torch shows it, or where they show both."""
    shown = {facts.abi_of(n) for n in names} - {"neutral"}
    return shown.pop() if len(shown) == 1 else None


def _runs(minors: Sequence[str]) -> list[list[str]]:
    return [[*run] for is_in, run in groupby(facts.pypi_columns(), minors.__contains__) if is_in]


def span(minors: Sequence[str]) -> str:
    """ "2.3 to 2.6, 2.9": runs of the releases that the table has."""
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in _runs(minors))


def spoken(versions: Sequence[str]) -> str:
    """ "2.6+cu126 to 2.9" said in the order of the releases."""
    plain = span([v for v in versions if "+" not in v])
    return ", ".join([*(v for v in versions if "+" in v), *([plain] if plain else [])])


def readable(symbol: str) -> str:
    """The C++ that the name stands for; the name itself where it stands for none.  Cut to 160 characters."""
    from demangle import demangle  # 50 ms to import: only when there is a symbol to show

    text = demangle(symbol[: facts.LONGEST], language=("itanium",))
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def why(symbols: Sequence[str], torch: str | None) -> str | None:
    """One sentence or two; None when nothing is known of the first symbol.  ``torch`` is the version that loads it."""
    needs = needed(symbols)
    if needs is None:
        return None
    text = readable(symbols[0])
    name = text if text != symbols[0] else "the symbol"
    more = f" and {len(symbols) - 1} more of its symbols" if len(symbols) > 1 else ""
    abi = f"; its name is of {ABI_WORDS[needs.abi]}" if needs.abi else ""
    table = facts.span_of_table()
    if needs.minors is None:
        return f"{name} belongs to torch; no release of the table ({table}) is known to export it or to lack it{abi}"
    if not needs.minors:
        return f"{name}{more}: no PyPI release of torch from {table} exports it{abi}"
    verb = "are in" if more else "is in"
    gaps = f" ({span(needs.unmeasured)} was not measured)" if needs.unmeasured else ""
    range_ = [c for c in facts.pypi_columns() if c in needs.minors or c in needs.unmeasured]
    wrong = other_abi(needs.abi, torch) or side(range_, torch)
    return f"{name}{more} {verb} torch {span(needs.minors)} as on PyPI{gaps}{abi}; {wrong}"


def other_abi(abi: facts.Abi | None, torch: str | None) -> str | None:
    """None unless this torch is known to have the other C++ ABI than the symbol's name."""
    has = has_cxx11_abi(torch, torch.partition("+")[2] or None) if torch else None
    if abi is None or has is None or has == (abi == "cxx11"):
        return None
    return f"torch {torch} has {ABI_WORDS['cxx11' if has else 'pre']}"


def side(minors: Sequence[str], torch: str | None) -> str:
    """Which side is too old or too new."""
    columns, short = facts.pypi_columns(), minor(torch) if torch else None
    older, newer = columns[: columns.index(minors[0])], columns[columns.index(minors[-1]) + 1 :]
    if short in older:
        return f"torch {torch} is too old for this build"
    if short in newer:
        return f"this build is too old for torch {torch}"
    if short in columns:
        return (
            f"torch {torch} is in that range by its number, so it is another build of it, or not the torch that loads"
        )
    bounds = [f"{c} or older" for c in older[-1:]] + [f"{c} or newer" for c in newer[:1]]
    if not bounds:
        return "so torch's libraries were not loaded: import torch first"
    return f"the torch that refuses it is {', or '.join(bounds)}"


def fix(symbols: Sequence[str], library: str, torch: str | None) -> str | None:
    """The wheel for the torch that stands, else a build against it, else the torch that this build wants."""
    needs = needed(symbols)
    if needs is None or needs.minors is None:
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
    return f"{build}; or pin the torch of this build: torch {_pin(needs.minors)}" if needs.minors else build


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
    found = wheels.wheel_for(package, release.version, **wanted, abi=abi) if release else None
    return found if isinstance(found, wheels.Wheel) else None


def _pin(minors: Sequence[str]) -> str:
    """ "==2.6.*", or ">=2.3,<2.7" of a longer run; the newest run where there are several."""
    [*_, (first, *others)] = _runs(minors)
    if not others:
        return f"=={first}.*"
    columns = facts.pypi_columns()
    after = columns[columns.index(others[-1]) + 1 :]
    return f">={first},<{after[0]}" if after else f">={first}"
