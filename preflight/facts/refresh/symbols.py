"""torch_symbols.bin: which torch exports which C++ symbol, made column by column from the wheels of the index.

A column can be added to a table without the names of the others: hashes tell whether a name is known.
"""

from __future__ import annotations

import json
import mmap
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from preflight.facts.refresh.source import Index, IndexFile, NotRead, final_releases
from preflight.facts.symbols import CXX11_26, MORE_NAMES, SymbolTable, abi_of, hash_of, is_kept

LIBRARY = re.compile(r"torch/lib/lib(?:c10|c10_cuda|torch|torch_cpu|torch_cuda|torch_cuda_linalg|torch_python)\.so")
OLDEST = "2.0"
SPLIT = "2.6"  # its builds have two ABIs
SOURCE = (
    "dynamic symbols of the x86_64 wheels on PyPI, all libraries, newest patch of each minor; of the build of 2.6 with "
    "the C++11 ABI: the aarch64 wheel for names of that ABI, PyPI's x86_64 wheel for those of none"
)
CHUNK_BYTES = 4 << 20
# of a library, which may have more than 1 GiB: its names, and whether they are weak
Exported = Callable[[mmap.mmap], Iterable[tuple[str, bool]]]


@dataclass
class Measured:
    """``rows``: hash → the columns measured, and those that export it, as bit masks."""

    columns: list[str] = field(default_factory=list)
    rows: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, column: str, names: Iterable[str]) -> None:
        """A release with all names that it exports."""
        bit = 1 << len(self.columns)
        before = bit - 1
        unknown = 1 << self.columns.index(CXX11_26) if CXX11_26 in self.columns else 0
        self.columns.append(column)
        self.rows = {key: (measured | bit, has) for key, (measured, has) in self.rows.items()}
        new: dict[int, tuple[int, int]] = {}
        for name in names:
            key = hash_of(name)
            if key in self.rows:
                measured, has = self.rows[key]
                self.rows[key] = (measured, has | bit)
            else:
                new[key] = (bit | (before & ~unknown if abi_of(name) == "cxx11" else before), bit)
        self.rows |= new

    def written(self, seen: date) -> bytes:
        classes = sorted(set(self.rows.values()))
        number = {row: n for n, row in enumerate(classes)}
        head = {
            "what": "which torch exports which C++ symbol: sorted hashes of names, and a class of columns for each",
            "source": SOURCE,
            "seen": seen.isoformat(),
            "how": "read",
            "columns": self.columns,
            "symbols": len(self.rows),
            "classes": [list(c) for c in classes],
        }
        keys = sorted(self.rows)
        hashes = b"".join(key.to_bytes(4, "little") for key in keys)
        of_classes = b"".join(number[self.rows[key]].to_bytes(2, "little") for key in keys)
        return json.dumps(head, separators=(",", ":")).encode() + b"\n" + hashes + of_classes


def of_table(table: SymbolTable) -> Measured:
    """A table as rows, to add to."""
    bit = {column: 1 << n for n, column in enumerate(table.columns)}
    masks = [(sum(bit[c] for c in m.measured), sum(bit[c] for c in m.by)) for m in table.meanings]
    return Measured(list(table.columns), {key: masks[n] for key, n in zip(table.hashes, table.classes, strict=True)})


def renewed(index: Index, exported: Exported, known: Measured, say: Callable[[str], None]) -> Measured:
    """``known`` with the minors that the index has and it lacks.  Raises NotRead."""
    for minor, wheel, other in wheels(index):
        if minor in known.columns:
            continue
        say(f"reading the libraries of {wheel.filename}, {wheel.size >> 20} MiB")
        names = {name for name, _ in _names(index, wheel, exported)}
        known.add(minor, names)
        if minor == SPLIT and other is not None:
            say(f"reading the libraries of {other.filename}, {other.size >> 20} MiB")
            strong = {name for name, is_weak in _names(index, other, exported) if not is_weak}
            neutral = {name for name in names if abi_of(name) == "neutral"}
            known.add(CXX11_26, neutral | {name for name in strong if abi_of(name) == "cxx11"})
    return known


def wheels(index: Index) -> Iterator[tuple[str, IndexFile, IndexFile | None]]:
    """Minor, the x86_64 wheel of its newest patch, and the aarch64 one."""
    newest = {f"{v.major}.{v.minor}": files for v, files in final_releases(index, "torch", OLDEST).items()}
    for minor, files in newest.items():
        ordered = sorted(files, key=lambda f: ("3.11" not in f.pythons, f.filename))
        wheel = next((f for f in ordered if f.is_linux_wheel), None)
        if wheel is not None:
            yield minor, wheel, next((f for f in ordered if f.filename.endswith("aarch64.whl")), None)


def _names(index: Index, wheel: IndexFile, exported: Exported) -> Iterator[tuple[str, bool]]:
    try:
        with index.open(wheel) as raw, zipfile.ZipFile(raw) as archive:
            for member in archive.namelist():
                if LIBRARY.fullmatch(member):
                    with archive.open(member) as packed, tempfile.TemporaryFile() as copy:
                        shutil.copyfileobj(packed, copy, CHUNK_BYTES)
                        copy.flush()
                        with mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ) as data:
                            yield from [n for n in exported(data) if is_kept(n[0]) or MORE_NAMES.match(n[0])]
    except (zipfile.BadZipFile, OSError, ValueError) as e:
        raise NotRead(f"{wheel.filename}: {e}") from e
