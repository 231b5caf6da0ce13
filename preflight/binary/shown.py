"""What a library shows beside its verdict: what its name denies, its C++ ABI, the oldest system that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.version import Version

from preflight.binary import symbols as said_by
from preflight.binary.elf import SharedLibrary
from preflight.facts import symbols as facts
from preflight.facts import wheels

Said = Mapping[str, facts.Exports | None]  # of each symbol of torch that must be found
FLOORS = ("GLIBC", "GLIBCXX", "CXXABI")
FLOOR = re.compile(r"^(GLIBC|GLIBCXX|CXXABI)_(\d+(?:\.\d+){0,3})$")


def distinct(said: Said) -> tuple[facts.Exports, ...]:
    """Thousands of symbols share some hundred answers."""
    return tuple({id(e): e for e in said.values() if e is not None}.values())


def of_name(file: str, abi: bool | None, versions: Sequence[str]) -> Iterator[str]:
    """What a wheel's name says and its symbols deny."""
    name = wheels.wheel_name(file)
    if name is None or name.torch is None or not versions:
        return
    if name.torch not in {v.partition("+")[0] for v in versions}:
        yield f"its name says torch {name.torch}; its symbols are of torch {spoken(versions)}"
    if name.abi is not None and abi is not None and (name.abi == "TRUE") != abi:
        yield f"its name says cxx11abi{name.abi}; its symbols say cxx11abi{str(abi).upper()}"


def of_python(library: SharedLibrary) -> Iterator[str]:
    for name in library.needed:
        if name.startswith("libpython"):
            yield f"it needs {name}, which a Python that is linked statically has not"


def unmeasured(said: Said) -> Iterator[str]:
    read = distinct(said)
    left = [c for c in facts.pypi_columns() if all(e.says(c) is not False for e in read)]
    gaps = [c for c in left if any(e.says(c) is None for e in read)]
    if gaps:
        yield f"torch {said_by.span(gaps)} was not measured for some of its symbols"


def spoken(versions: Sequence[str]) -> str:
    """ "2.6+cu126 to 2.9" said in the order of the releases."""
    plain = said_by.span([v for v in versions if "+" not in v])
    return ", ".join([*(v for v in versions if "+" in v), *([plain] if plain else [])])


def cxx11abi(names: Iterable[str]) -> bool | None:
    """None where no symbol of torch shows it, or where they show both."""
    shown = {facts.abi_of(n) for n in names} - {"neutral"}
    return shown == {"cxx11"} if len(shown) == 1 else None


def floors(library: SharedLibrary) -> Iterator[tuple[str, str]]:
    newest: dict[str, Version] = {}
    for _, version in library.versions:
        found = FLOOR.match(version)
        if found:
            newest[found[1]] = max(newest.get(found[1], Version("0")), Version(found[2]))
    yield from ((kind, str(newest[kind])) for kind in FLOORS if kind in newest)
