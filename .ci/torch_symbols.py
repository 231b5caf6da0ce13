"""Makes preflight/facts/torch_symbols.bin: which torch exports which C++ symbol.  No part of the package.

Run: python .ci/torch_symbols.py --c10 c10_symbols.json --ext ext_symbols.json --libraries FOLDER --x86 FOLDER
     --seen 2026-11-25
Measurements are joined, the earlier winning where two speak of one symbol:
  c10      symbols of libc10 and libc10_cuda that differ between the PyPI x86_64 wheels; what these libraries export
           beside them, read from one release of --x86, is in every one
  ext      symbols that mamba-ssm and causal-conv1d leave undefined, against all four libraries of those wheels
  aarch64  VERSION/lib{c10,torch_cpu,torch_python}.so of the PyPI wheels: their strong symbols are those of x86_64,
           less the kernels of one instruction set.  Their 2.6 has the C++11 ABI; PyPI's x86_64 2.6 has not.
           A weak symbol (a vtable, an inline function) counts only where all of them and all of --x86 have it.
Layout: a line of JSON (provenance, columns, classes), then the sorted 32-bit hashes of the names, little endian, then
two bytes a hash: its class, a pair of bit masks over the columns (measured, exported).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import struct
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile

from preflight.facts.symbols import COLUMNS, CXX11_26, FILE, abi_of

BIT = {column: 1 << n for n, column in enumerate(COLUMNS)}
MINORS = tuple(c for c in COLUMNS if c != CXX11_26)
PYPI = sum(BIT[m] for m in MINORS)
LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch_python.so")
LARGEST_BYTES = 100_000
KEPT = re.compile(r"^(?:THP|aoti_torch_|torch_|_Z(?:T[IV])?N[KRO]*(?:3c10|2at|5torch)|_Zls\w*?N3c10)")
# internals that no extension names: operators' kernels, generated autograd, other front ends
INTERNAL = re.compile(
    r"^_Z\w{0,4}?N?K?(?:2at(?:6native|25composite|38composite|3cpu|4meta|17functionalization"
    r"|14namedinference)|5torch(?:8autograd9generated|4lazy|8profiler|8inductor|11distributed|5optim|4data"
    r"|6dynamo|9functorch|2nn|8nativert|8autograd\d+\w*Backward|3jit(?:11tensorexpr|6mobile|4fuser|8\w*Pass)))"
    r"|6caffe2|4c10d|redispatch|^_ZT[IV]N5torch3jit|8autograd(?:13|8)VariableType|ADInplaceOrView"
)
OWN = re.compile(r"^_Z\w{0,4}?N?K?(?:3c10|2at|5torch|6caffe2)")
Row = tuple[int, int]  # measured, exported


def columns(text: str) -> int:
    """The mask of "2.0-2.6,2.9"."""
    mask = 0
    for part in text.split(","):
        first, _, last = part.partition("-")
        at, to = MINORS.index(first), MINORS.index(last or first)
        mask |= sum(BIT[m] for m in MINORS[at : to + 1])
    return mask


def of_libraries(folder: Path, x86: dict[str, frozenset[str]]) -> dict[str, Row]:
    """Rows from the aarch64 wheels, and from x86_64 where both kinds are asked."""
    strong: dict[str, int] = {}
    weak: dict[str, int] = {}
    measured = 0
    for version in sorted(folder.iterdir()):
        minor = ".".join(version.name.split(".")[:2])
        bit = BIT[CXX11_26] if minor == "2.6" else BIT[minor]
        for library in LIBRARIES:
            for name, is_weak in exported(version / library):
                (weak if is_weak else strong)[name] = (weak if is_weak else strong).get(name, 0) | bit
        measured |= bit
    # an inline function is emitted where the compiler chose to: of a weak symbol one machine says nothing of another
    rows = {
        name: _with_26(name, measured & ~(weak.get(name, 0) & ~has), has)
        for name, has in strong.items()
        if KEPT.search(name) and not INTERNAL.search(name)
    }
    for name, has in weak.items():
        is_everywhere = has == measured and all(name in names for names in x86.values())
        if name not in strong and is_everywhere and KEPT.search(name) and not INTERNAL.search(name):
            rows[name] = _with_26(name, measured, has)
    return rows


def of_x86(folder: Path) -> dict[str, frozenset[str]]:
    """The names that each release at hand exports."""
    return {
        version.name: frozenset(name for library in version.glob("*.so") for name, _ in exported(library))
        for version in folder.iterdir()
    }


def unchanging(folder: Path, c10: Collection[str]) -> frozenset[str]:
    """What libc10 and libc10_cuda export beside the symbols that differ between releases: in all of them."""
    version = next(v for v in folder.iterdir() if (v / "libc10_cuda.so").exists())
    names = {n for library in ("libc10.so", "libc10_cuda.so") for n, _ in exported(version / library)}
    return frozenset(n for n in names if n not in c10 and OWN.match(n))


def _with_26(name: str, measured: int, has: int) -> Row:
    """The column of PyPI's 2.6, which was not read: it follows from 2.6 of the other ABI unless the ABI is in it."""
    abi, pypi = abi_of(name), BIT["2.6"]
    if abi == "cxx11":
        return measured | pypi, has
    if abi == "pre" or (has & BIT["2.5"] and not has & BIT[CXX11_26]):
        return measured, has
    if not measured & BIT[CXX11_26]:
        return measured, has
    return measured | pypi, has | (pypi if has & BIT[CXX11_26] else 0)


def exported(path: Path) -> Iterator[tuple[str, bool]]:
    with path.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".dynsym")
        for symbol in section.iter_symbols():
            bind = symbol["st_info"]["bind"]
            if symbol["st_shndx"] != "SHN_UNDEF" and bind in ("STB_GLOBAL", "STB_WEAK", "STB_GNU_UNIQUE"):
                yield symbol.name, bind == "STB_WEAK"


def joined(
    c10: dict[str, dict[str, str]], ext: dict[str, Row], libraries: dict[str, Row], always: frozenset[str]
) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for name, row in libraries.items():
        rows[name] = row
    for name in always:
        rows[name] = (PYPI | BIT[CXX11_26], PYPI | BIT[CXX11_26])
    for name, (measured, has) in ext.items():
        other = rows.get(name, (0, 0))
        extra = other[0] & BIT[CXX11_26]
        rows[name] = (measured | extra, has | (other[1] & extra))
    for name, row in c10.items():
        other = libraries.get(name, (0, 0))
        extra = other[0] & BIT[CXX11_26]
        has = columns(row["minors"]) | (other[1] & extra)
        if not extra:
            extra = BIT[CXX11_26]
            is_there = columns(row["api_minors"]) & BIT["2.6"] and row["abi"] != "pre"
            has |= extra if is_there else 0
        rows[name] = (PYPI | extra, has)
    return rows


def ext_rows(document: dict) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for module in ("selective_scan_cuda", "causal_conv1d_cuda"):
        for name, said in document[module]["symbols"].items():
            rows[name] = (PYPI, columns(said["exported_by"]))
        for name in document[module]["always"]:
            rows[name] = (PYPI, PYPI)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--c10", "--ext", "--libraries", "--x86"):
        parser.add_argument(option, type=Path, required=True)
    parser.add_argument("--seen", required=True)
    given = parser.parse_args()
    c10 = json.loads(given.c10.read_text())["symbols"]
    libraries = of_libraries(given.libraries, of_x86(given.x86))
    rows = joined(c10, ext_rows(json.loads(given.ext.read_text())), libraries, unchanging(given.x86, c10))
    by_hash: dict[int, Row] = {}
    for name, row in rows.items():
        key = struct.unpack("<I", hashlib.blake2b(name.encode(), digest_size=4).digest())[0]
        if by_hash.setdefault(key, row) != row:
            measured, has = by_hash[key]
            same = measured & row[0] & ~(has ^ row[1])
            by_hash[key] = (same, has & same)  # two names, one hash: only where they agree
    classes = sorted(set(by_hash.values()))
    number = {row: n for n, row in enumerate(classes)}
    head = {
        "what": "which torch exports which C++ symbol: hashes of names, sorted, and a class of columns for each",
        "source": "dynamic symbols of the PyPI wheels of torch 2.0 to 2.15: libc10 and libc10_cuda (x86_64), what "
        "mamba-ssm and causal-conv1d leave undefined (x86_64, all four libraries), and libc10, libtorch_cpu and "
        "libtorch_python (aarch64, 2.0 to 2.14)",
        "seen": given.seen,
        "how": "read",
        "columns": list(COLUMNS),
        "symbols": len(by_hash),
        "classes": [list(c) for c in classes],
    }
    keys = sorted(by_hash)
    body = struct.pack(f"<{len(keys)}I", *keys) + struct.pack(f"<{len(keys)}H", *(number[by_hash[k]] for k in keys))
    data = json.dumps(head, separators=(",", ":")).encode() + b"\n" + body
    assert len(data) <= LARGEST_BYTES, len(data)
    FILE.write_bytes(data)
    sys.stdout.write(f"{FILE}: {len(keys)} symbols in {len(classes)} classes, {len(data)} bytes\n")


if __name__ == "__main__":
    main()
