"""Which torch exports a C++ symbol, from a measured table.

The table holds hashes of 32 bits of all names of ``KEPT`` that any release exports: such a name that is not in it is
exported by none.  A name is taken for another once in 80 thousand.  A patch release exports what its minor does (12
pairs of releases were compared).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from preflight.facts.in_force import FOLDER, SYMBOLS, kept, overlay_file
from preflight.facts.torch import has_cxx11_abi, minor

CXX11_26 = "2.6+cxx11"  # the cu126 build of 2.6 has the C++11 ABI, PyPI's has not: two columns
LONGEST = 8192  # characters of a name that are looked at
IDENTIFIER = re.compile(r"\d+")
# its own namespaces, and pybind11's casters of its types; not a function of somebody else that takes a Tensor
TORCH_NAMES = re.compile(
    r"^_Z(?:T\w{1,3}|GV)?N[KVRO]*(?:(?:3c10|2at|5torch|6caffe2|4c10d)"
    r"|8pybind116detail11type_casterIN(?:3c10|2at|5torch))|^THP[A-Z]|^aoti_torch_"
)
MORE_NAMES = re.compile(r"^torch_|^_Zls\w*?N3c10|^_Z\d+THP")  # torch exports them; others have such names too
# no extension names them: operators' kernels by machine, generated autograd, other front ends
INTERNAL = re.compile(
    r"^_Z\w{0,4}?N?K?(?:2at(?:6native|25composite|38composite|3cpu|4meta|17functionalization|14namedinference)"
    r"|5torch(?:8autograd9generated|4lazy|8profiler|8inductor|11distributed|5optim|4data"
    r"|9functorch|8nativert|8autograd\d+\w*Backward|3jit(?:11tensorexpr|6mobile|4fuser|8\w*Pass)))"
    r"|redispatch|8autograd(?:13|8)VariableType|ADInplaceOrView"
)
Abi = Literal["cxx11", "pre", "neutral"]


@dataclass(frozen=True)
class Exports:
    """``measured`` are the columns that were looked at, ``by`` those of them that export the symbol."""

    by: frozenset[str]
    measured: frozenset[str]

    def says(self, column: str) -> bool | None:
        """Whether this torch exports it; None when that was not measured."""
        return column in self.by if column in self.measured else None


@dataclass(frozen=True)
class SymbolTable:
    """``columns`` are minors of torch, oldest first, and ``CXX11_26``; ``meanings`` belong to the classes."""

    columns: tuple[str, ...]
    hashes: array[int]
    classes: array[int]
    meanings: tuple[Exports, ...]


def columns() -> tuple[str, ...]:
    return table().columns


def pypi_columns() -> tuple[str, ...]:
    """The minors that were measured as on PyPI, oldest first."""
    return tuple(c for c in columns() if "+" not in c)


def span_of_table() -> str:
    """ "2.0 to 2.15": which releases of torch the table knows."""
    return f"{pypi_columns()[0]} to {pypi_columns()[-1]}"


def exports(symbol: str) -> Exports | None:
    """None: nothing is known of such names.  It says nothing about a torch outside the columns."""
    found = _measured(symbol)
    if found is None and is_kept(symbol):
        looked_at = columns() if abi_of(symbol) != "cxx11" else pypi_columns()
        return Exports(frozenset(), frozenset(looked_at))
    return found


def is_kept(symbol: str) -> bool:
    """Whether the table holds every such name that a torch exports."""
    name = symbol[:LONGEST]
    return bool(TORCH_NAMES.match(name)) and not INTERNAL.search(name)


def is_torch(symbol: str) -> bool:
    """Whether the name is one that torch's own libraries would export."""
    return bool(TORCH_NAMES.match(symbol[:LONGEST])) or _measured(symbol) is not None


def column_of(torch: str) -> str | None:
    """The column of a release: "2.6.0" is PyPI's build, "2.6.0+cu126" the one with the C++11 ABI."""
    short = minor(torch)
    if short not in pypi_columns():
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


def hash_of(symbol: str) -> int:
    return int.from_bytes(hashlib.blake2b(symbol.encode(), digest_size=4).digest(), "little")


def _measured(symbol: str) -> Exports | None:
    measured, wanted = table(), hash_of(symbol)
    at = bisect_left(measured.hashes, wanted)
    if at == len(measured.hashes) or measured.hashes[at] != wanted:
        return None
    return measured.meanings[measured.classes[at]]


@kept
def table() -> SymbolTable:
    return read_table(overlay_file(SYMBOLS) or FOLDER / SYMBOLS)


def read_table(file: Path) -> SymbolTable:
    """A line of JSON, the sorted hashes of four bytes, then two bytes a hash: its class, a pair of column masks."""
    head, _, body = file.read_bytes().partition(b"\n")
    about = json.loads(head)
    count, names = about["symbols"], tuple(about["columns"])
    hashes, classes = array("I", body[: 4 * count]), array("H", body[4 * count :])
    if sys.byteorder == "big":
        hashes.byteswap()
        classes.byteswap()

    def of(mask: int) -> frozenset[str]:
        return frozenset(c for n, c in enumerate(names) if mask >> n & 1)

    return SymbolTable(names, hashes, classes, tuple(Exports(of(e), of(m)) for m, e in about["classes"]))
