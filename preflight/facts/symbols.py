"""Which torch exports a C++ symbol: from a measured table, else by a rule of mangling, else not known.

The table holds hashes of 32 bits: a name that was never measured is taken for another once in 300 thousand.
A patch release exports what its minor does (12 pairs of releases were compared).
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from preflight.facts.torch import has_cxx11_abi, minor
from preflight.facts.types import How

FILE = Path(__file__).with_name("torch_symbols.bin")
CXX11_26 = "2.6+cxx11"  # the cu126 build of 2.6 has the C++11 ABI, PyPI's has not: two columns
MINORS = ("2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14")
COLUMNS = (*MINORS, "2.15", CXX11_26)
PYPI_COLUMNS = COLUMNS[:-1]

LONGEST = 8192  # characters of a name that are looked at
C10_OPTIONAL = re.compile(r"N3c10(?:8optional|7variant)I")
STD_OPTIONAL = re.compile(r"St(?:8optional|7variant)I")
IDENTIFIER = re.compile(r"\d+")
# its own namespaces, and pybind11's casters of its types; not a function of somebody else that takes a Tensor
TORCH_NAMES = re.compile(
    r"^_Z(?:T\w{1,3}|GV)?N[KVRO]*(?:(?:3c10|2at|5torch|6caffe2|4c10d)"
    r"|8pybind116detail11type_casterIN(?:3c10|2at|5torch))|^THP[A-Z]|^aoti_torch_"
)
Abi = Literal["cxx11", "pre", "neutral"]


@dataclass(frozen=True)
class Exports:
    """``measured`` are the columns that were looked at, ``by`` those of them that export the symbol."""

    by: frozenset[str]
    measured: frozenset[str]
    how: How

    def says(self, column: str) -> bool | None:
        """Whether this torch exports it; None when that was not measured."""
        return column in self.by if column in self.measured else None


@dataclass(frozen=True)
class _Table:
    hashes: array[int]
    classes: array[int]
    meanings: tuple[Exports, ...]


def exports(symbol: str) -> Exports | None:
    """None: neither the table nor the rule knows it.  It says nothing about a torch outside the columns."""
    return _measured(symbol) or _by_rule(symbol)


def is_torch(symbol: str) -> bool:
    """Whether the name is one that torch's own libraries would export."""
    return bool(TORCH_NAMES.match(symbol[:LONGEST])) or _measured(symbol) is not None


def column_of(torch: str) -> str | None:
    """The column of a release: "2.6.0" is PyPI's build, "2.6.0+cu126" the one with the C++11 ABI."""
    short = minor(torch)
    if short not in PYPI_COLUMNS:
        return None
    build = torch.partition("+")[2] or None
    if short == "2.6" and has_cxx11_abi(torch, build):
        return CXX11_26
    return short


def abi_of(symbol: str) -> Abi:
    """The C++ ABI a name is of: __cxx11 is the new std::string; Ss, outside identifiers, the old one."""
    symbol = symbol[:LONGEST]
    if "7__cxx11" in symbol or "B5cxx11" in symbol:
        return "cxx11"
    if not symbol.startswith("_Z") or "Ss" not in symbol:
        return "neutral"
    at = 0
    while at < len(symbol):
        found = IDENTIFIER.match(symbol, at)
        if found and symbol[at - 1 : at] not in ("S", "T", "L"):
            at = found.end() + int(found[0][:6])
        elif symbol.startswith("Ss", at):
            return "pre"
        else:
            at += 1
    return "neutral"


def _measured(symbol: str) -> Exports | None:
    table = _table()
    (wanted,) = struct.unpack("<I", hashlib.blake2b(symbol.encode(), digest_size=4).digest())
    at = bisect_left(table.hashes, wanted)
    if at == len(table.hashes) or table.hashes[at] != wanted:
        return None
    return table.meanings[table.classes[at]]


def _by_rule(symbol: str) -> Exports | None:
    """c10::optional became std::optional in torch 2.2: an operator that names one of them is of that side.

    It says which releases can't export the name, not which do.  Source: libtorch_cpu of 2.0 to 2.15, all operators.
    """
    if not TORCH_NAMES.match(symbol[:LONGEST]):
        return None
    old, new = frozenset(MINORS[:2]), frozenset(COLUMNS) - frozenset(MINORS[:2])
    if C10_OPTIONAL.search(symbol[:LONGEST]):
        return Exports(frozenset(), new, How.INFERRED)
    if STD_OPTIONAL.search(symbol[:LONGEST]):
        return Exports(frozenset(), old, How.INFERRED)
    return None


@cache
def _table() -> _Table:
    head, _, body = FILE.read_bytes().partition(b"\n")
    said = json.loads(head)
    count = said["symbols"]
    hashes, classes = array("I", body[: 4 * count]), array("H", body[4 * count :])
    if sys.byteorder == "big":
        hashes.byteswap()
        classes.byteswap()
    return _Table(hashes, classes, tuple(_meaning(m, e) for m, e in said["classes"]))


def _meaning(measured: int, exported: int) -> Exports:
    def names(mask: int) -> frozenset[str]:
        return frozenset(c for n, c in enumerate(COLUMNS) if mask >> n & 1)

    return Exports(names(exported), names(measured), How.READ)
