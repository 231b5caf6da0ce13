"""The GPU code in a shared library: which architectures, as machine code (cubin) or as PTX for the driver to compile.

nvcc puts fat binaries into .nv_fatbin, or __nv_relfatbin where device code was linked by nvlink. Each is a header and
a chain of entries; an entry's own header says what it holds, also when its body is compressed, so nothing is unpacked.
Source: files that nvcc 13.0 made with each -gencode and compression, against `cuobjdump --list-elf --list-ptx` 13.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from preflight.binary.elf import Data, SharedLibrary

SECTIONS = (".nv_fatbin", "__nv_relfatbin")
MAGIC = b"\x50\xed\x55\xba"
CONTAINER = struct.Struct("<4sHHQ")  # magic, version, bytes of this header, bytes of what follows it
ENTRY = struct.Struct("<HHIQIIHHI")  # kind, version, bytes of this header, of the body, …, …, minor, major, sm
FLAGS_AT = 40
SHORTEST_ENTRY = 48
IS_ARCH_SPECIFIC, IS_FAMILY_SPECIFIC = 0x100000, 0x200000
MOST_ENTRIES = 1 << 18
MOST_PADDING = 4096  # bytes of zeros that the linker puts between two object files
# integrated GPUs: their code runs on no card (CUDA C++ Programming Guide, binary compatibility)
TEGRA = frozenset({53, 62, 72, 87})


class Kind(StrEnum):
    CUBIN = "cubin"
    PTX = "ptx"


KINDS = {1: Kind.PTX, 2: Kind.CUBIN}


@dataclass(frozen=True, order=True)
class Arch:
    """``sm`` is the compute capability times ten; ``variant`` "a" is for that GPU alone, "f" for its family."""

    sm: int
    kind: Kind
    variant: str = ""

    def __str__(self) -> str:
        return f"{'compute' if self.kind is Kind.PTX else 'sm'}_{self.sm}{self.variant}"

    def runs_on(self, sm: int) -> bool:
        """Source: CUDA C++ Programming Guide, binary and PTX compatibility; family-specific features (CUDA 12.9)."""
        if self.variant == "a":
            return sm == self.sm
        is_same_major = sm // 10 == self.sm // 10 and sm >= self.sm
        if self.variant == "f":
            return is_same_major
        if self.kind is Kind.PTX:
            return sm >= self.sm
        return is_same_major and (sm == self.sm or not {sm, self.sm} & TEGRA)


class DamagedFatbin(ValueError):
    """The chain of fat binaries does not add up; the text says where."""


def archs(data: Data, library: SharedLibrary) -> tuple[Arch, ...]:
    """Each architecture once, in order.  Raises DamagedFatbin."""
    found: set[Arch] = set()
    for name, offset, size in library.sections:
        if name in SECTIONS:
            found.update(_of_section(data, offset, offset + size))
    return tuple(sorted(found))


def _of_section(data: Data, at: int, stop: int) -> Iterator[Arch]:
    entries = padding = 0
    while at + CONTAINER.size <= stop:
        magic, _, header, size = CONTAINER.unpack_from(data, at)
        if magic != MAGIC:
            if any(data[at : at + 8]) or padding == MOST_PADDING:
                raise DamagedFatbin(f"byte {at} should begin a fat binary and holds {data[at : at + 4]!r}")
            at, padding = at + 8, padding + 8
            continue
        padding = 0
        end = at + header + size
        if header < CONTAINER.size or end > stop:
            raise DamagedFatbin(f"the fat binary at byte {at} ends outside its section")
        at += header
        while at + SHORTEST_ENTRY <= end:
            kind, _, entry_header, body, _, _, _, _, sm = ENTRY.unpack_from(data, at)
            (flags,) = struct.unpack_from("<Q", data, at + FLAGS_AT)
            entries += 1
            if entry_header < SHORTEST_ENTRY or at + entry_header + body > end or entries > MOST_ENTRIES:
                raise DamagedFatbin(f"the entry at byte {at} ends outside its fat binary, or there are too many")
            if kind in KINDS:  # another is an intermediate code that no driver runs
                variant = "a" if flags & IS_ARCH_SPECIFIC else "f" if flags & IS_FAMILY_SPECIFIC else ""
                yield Arch(sm, KINDS[kind], variant)
            at += entry_header + body
        at = end + -end % 8
