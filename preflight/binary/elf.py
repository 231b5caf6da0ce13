"""A shared library as the dynamic loader reads it: what it needs, in the order in which it would be missed.

Own code and not pyelftools: that one trusts counts and links of the file (a section count of 2^64 is walked), and
takes seconds for the symbols of a large library. The tests hold this reader against it.
Source: System V ABI, chapters 4 and 5; the gABI's GNU extensions (symbol versions, DT_GNU_HASH).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

Data = bytes | mmap.mmap

LONGEST_NAME = 1 << 16  # bytes; the longest symbol of torch 2.15 has 5 thousand
MOST_SYMBOLS = 1 << 21
MOST_RELOCATIONS = 1 << 23
MOST_TAGS = 1 << 12
MOST_SECTIONS = 1 << 16
MOST_NAME_BYTES = 1 << 26  # of all names that are kept

MACHINES = {62: "x86_64", 183: "aarch64", 3: "i386", 40: "arm", 243: "riscv64", 21: "ppc64", 22: "s390x", 190: "CUDA"}
TYPES = {1: "an object file", 2: "a program", 4: "a core dump"}
SHARED = 3
PT_LOAD, PT_DYNAMIC = 1, 2
(NEEDED, PLTRELSZ, HASH, STRTAB, SYMTAB, RELA, RELASZ, STRSZ, SONAME, JMPREL) = (1, 2, 4, 5, 6, 7, 8, 10, 14, 23)
GNU_HASH, VERSYM, VERNEED, VERNEEDNUM = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF
WEAK = 2
BINDINGS, VISIBLE = (1, WEAK, 10), (0, 3)  # global, weak, unique; default, protected
UNVERSIONED = 1  # indexes up to it name no version
HIDDEN = 0x8000
SYMBOL, RELOCATION = struct.Struct("<IBBHQQ"), struct.Struct("<QQq")


class Unreadable(ValueError):
    """The file can't be read as a shared library of 64 bits, little endian; the text says what was seen."""


@dataclass(frozen=True, kw_only=True)
class SharedLibrary:
    """``undefined`` are the symbols without version that must be found, in the order the loader looks for them.

    ``versions`` are (library, version) pairs such as ("libc.so.6", "GLIBC_2.17"); ``sections`` (name, offset, bytes).
    """

    machine: str
    soname: str
    needed: tuple[str, ...]
    undefined: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    init_functions: tuple[str, ...]
    sections: tuple[tuple[str, int, int], ...]


def shared_library(data: Data) -> SharedLibrary:
    """Raises Unreadable, whatever the bytes are; time and memory stay in proportion to the file."""
    try:
        return _Reader(data).library()
    except (struct.error, IndexError, OverflowError) as e:
        raise Unreadable(f"it ends, or points, outside its {len(data)} bytes") from e


def exported(data: Data) -> Iterator[tuple[str, bool]]:
    """Each name that others may find in it, and whether it is weak.  Raises Unreadable."""
    try:
        yield from _Reader(data).exported()
    except (struct.error, IndexError, OverflowError) as e:
        raise Unreadable(f"it ends, or points, outside its {len(data)} bytes") from e


class _Reader:
    def __init__(self, data: Data) -> None:
        self.data = data
        self.size = len(data)
        self.name_bytes = 0
        if self.size < 64 or data[:4] != b"\x7fELF":
            raise Unreadable("it is empty" if not self.size else f"it is no ELF file: it begins with {data[:4]!r}")
        if data[4] != 2 or data[5] != 1:
            bits, order = {1: "32", 2: "64"}.get(data[4], "?"), {1: "little", 2: "big"}.get(data[5], "?")
            raise Unreadable(f"it is an ELF file of {bits} bits, {order} endian; torch has 64, little endian")
        kind, machine = struct.unpack_from("<HH", data, 16)
        if kind != SHARED:
            raise Unreadable(f"it is {TYPES.get(kind, f'an ELF file of type {kind}')}, not a shared library")
        self.machine = MACHINES.get(machine, f"machine {machine}")
        self.loads, dynamic = self._segments()
        if dynamic is None:
            raise Unreadable("it has no dynamic section: the loader has nothing to go by")
        self.tags, self.needed_at = self._tags(*dynamic)
        self.strings = self._offset(self.tags.get(STRTAB, 0))
        self.strings_end = min(self.size, self.strings + self.tags.get(STRSZ, 0))

    def library(self) -> SharedLibrary:
        count = self._symbol_count()
        return SharedLibrary(
            machine=self.machine,
            soname=self._string(self.tags[SONAME]) if SONAME in self.tags else "",
            needed=tuple(self._string(at) for at in self.needed_at),
            undefined=self._undefined(),
            versions=tuple(self._needed_versions()),
            init_functions=self._init_functions(count),
            sections=tuple(self._sections()),
        )

    def _segments(self) -> tuple[list[tuple[int, int, int]], tuple[int, int] | None]:
        """The loaded parts as (address, file offset, bytes in the file), and the dynamic section's place."""
        (at,) = struct.unpack_from("<Q", self.data, 0x20)
        size, count = struct.unpack_from("<HH", self.data, 0x36)
        if size != 56:
            raise Unreadable(f"its program headers have {size} bytes each, not 56")
        loads: list[tuple[int, int, int]] = []
        dynamic = None
        for n in range(count):
            kind, _, offset, address, _, in_file, _, _ = struct.unpack_from("<IIQQQQQQ", self.data, at + n * size)
            if kind == PT_LOAD:
                if offset + in_file > self.size:
                    raise Unreadable(f"a segment ends at byte {offset + in_file} of a file of {self.size}: truncated")
                loads.append((address, offset, in_file))
            elif kind == PT_DYNAMIC:
                dynamic = (offset, in_file)
        return loads, dynamic

    def _offset(self, address: int) -> int:
        """Where in the file an address is.  Raises Unreadable when no loaded part of the file holds it."""
        for start, offset, in_file in self.loads:
            if start <= address < start + in_file:
                return offset + address - start
        raise Unreadable(f"it points to address {address:#x}, which no part of the file holds")

    def _tags(self, at: int, size: int) -> tuple[dict[int, int], list[int]]:
        tags: dict[int, int] = {}
        needed: list[int] = []
        for n in range(min(size // 16, MOST_TAGS)):
            tag, value = struct.unpack_from("<QQ", self.data, at + n * 16)
            if tag == 0:
                break
            if tag == NEEDED:
                needed.append(value)
            else:
                tags[tag] = value
        return tags, needed

    def _string(self, at: int) -> str:
        start = self.strings + at
        stop = self.strings_end
        end = self.data.find(b"\0", start, min(stop, start + LONGEST_NAME)) if start < stop else -1
        if end < 0:
            raise Unreadable(f"the name at {at:#x} of its string table does not end")
        self.name_bytes += end - start
        if self.name_bytes > MOST_NAME_BYTES:
            raise Unreadable(f"its names are longer than {MOST_NAME_BYTES} bytes together")
        return self.data[start:end].decode("utf-8", "backslashreplace")

    def _symbol_count(self) -> int:
        """Of those that others may find; the loader never needs it, it follows from the hash table."""
        if SYMTAB not in self.tags:
            return 0
        if HASH in self.tags:
            _, count = struct.unpack_from("<II", self.data, self._offset(self.tags[HASH]))
        elif GNU_HASH in self.tags:
            count = self._count_of_gnu_hash(self._offset(self.tags[GNU_HASH]))
        else:
            raise Unreadable("it has symbols and no hash table to find them by")
        if count > MOST_SYMBOLS:
            raise Unreadable(f"it claims {count} symbols")
        return int(count)

    def _count_of_gnu_hash(self, at: int) -> int:
        buckets, first, bloom, _ = struct.unpack_from("<IIII", self.data, at)
        if buckets > MOST_SYMBOLS or bloom > MOST_SYMBOLS:
            raise Unreadable(f"its hash table claims {buckets} buckets")
        chains = at + 16 + bloom * 8
        last = max(struct.unpack_from(f"<{buckets}I", self.data, chains), default=0)
        if last < first:
            return int(first)
        at = chains + buckets * 4 + (last - first) * 4
        for n in range(MOST_SYMBOLS):
            (hashed,) = struct.unpack_from("<I", self.data, at + n * 4)
            if hashed & 1:
                return int(last) + n + 1
        raise Unreadable("a chain of its hash table has no end")

    def _symbols(self, count: int) -> Iterator[tuple[int, int, int, int, int, int]]:
        at = self._offset(self.tags[SYMTAB]) if count else 0
        if at + count * SYMBOL.size > self.size:
            raise Unreadable(f"its {count} symbols end outside its {self.size} bytes")
        return SYMBOL.iter_unpack(memoryview(self.data)[at : at + count * SYMBOL.size])

    def exported(self) -> Iterator[tuple[str, bool]]:
        for name, info, other, section, _, _ in self._symbols(self._symbol_count()):
            if section and name and info >> 4 in BINDINGS and other & 3 in VISIBLE:
                yield self._string(name), info >> 4 == WEAK

    def _undefined(self) -> tuple[str, ...]:
        """A symbol that no relocation names is not looked for, and a weak one may be absent."""
        used: dict[int, None] = {}
        for table, size in ((RELA, RELASZ), (JMPREL, PLTRELSZ)):
            if table in self.tags and self.tags.get(size):
                used.update(dict.fromkeys(self._relocated(self._offset(self.tags[table]), self.tags[size])))
        used.pop(0, None)
        if not used:
            return ()
        if max(used) > MOST_SYMBOLS or SYMTAB not in self.tags:
            raise Unreadable(f"a relocation names symbol {max(used)}, which it has not")
        symbols = self._offset(self.tags[SYMTAB])
        versions = self._offset(self.tags[VERSYM]) if VERSYM in self.tags else None
        found: dict[str, None] = {}
        for n in used:
            name, info, _, section, _, _ = SYMBOL.unpack_from(self.data, symbols + n * SYMBOL.size)
            if section or not name or info >> 4 == WEAK:
                continue
            if versions is not None:
                (version,) = struct.unpack_from("<H", self.data, versions + n * 2)
                if version & ~HIDDEN > UNVERSIONED:
                    continue
            found[self._string(name)] = None
        return tuple(found)

    def _relocated(self, at: int, size: int) -> Iterator[int]:
        """The symbol of each relocation, in the order in which the loader works through them."""
        count = size // RELOCATION.size
        if at + size > self.size or count > MOST_RELOCATIONS:
            raise Unreadable(f"its {count} relocations end outside its {self.size} bytes, or are too many")
        view = memoryview(self.data)[at : at + count * RELOCATION.size]
        return (info >> 32 for _, info, _ in RELOCATION.iter_unpack(view))

    def _needed_versions(self) -> Iterator[tuple[str, str]]:
        count = self.tags.get(VERNEEDNUM, 0)
        if not count or VERNEED not in self.tags:
            return
        at, listed = self._offset(self.tags[VERNEED]), 0
        for _ in range(min(count, MOST_TAGS)):
            _, versions, library, first, following = struct.unpack_from("<HHIII", self.data, at)
            name, inner = self._string(library), at + first
            for _ in range(versions):
                listed += 1
                if listed > MOST_TAGS:
                    raise Unreadable("its list of needed versions does not end")
                _, _, _, version, onward = struct.unpack_from("<IHHII", self.data, inner)
                yield name, self._string(version)
                if not onward:
                    break
                inner += onward
            if not following:
                return
            at += following

    def _init_functions(self, count: int) -> tuple[str, ...]:
        """What Python calls on import: one for each module that the library can be."""
        found = []
        for name, _, _, section, _, _ in self._symbols(count):
            if section:
                at = self.strings + name
                if self.data[at : at + 7] == b"PyInit_" and at + 7 < self.strings_end:
                    found.append(self._string(name))
        return tuple(dict.fromkeys(found))

    def _sections(self) -> Iterator[tuple[str, int, int]]:
        """The sections with their bytes in the file; none when the headers were cut off, which loading allows."""
        (at,) = struct.unpack_from("<Q", self.data, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.data, 0x3A)
        if not at or size != 64 or not count or names >= count or at + count * size > self.size:
            return
        headers = [struct.unpack_from("<IIQQQQ", self.data, at + n * size) for n in range(min(count, MOST_SECTIONS))]
        _, _, _, _, start, length = headers[names]
        stop = min(self.size, start + length)
        for name, kind, _, _, offset, bytes_ in headers:
            end = self.data.find(b"\0", start + name, min(stop, start + name + 256)) if start + name < stop else -1
            if end >= 0 and kind != 8 and offset + bytes_ <= self.size:  # 8: no bytes in the file
                yield self.data[start + name : end].decode("ascii", "backslashreplace"), offset, bytes_
