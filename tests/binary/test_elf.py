"""The ELF reader: equal to pyelftools on whole files, and never more than "unreadable" on broken ones."""

from __future__ import annotations

import contextlib
import struct
import time
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.binary.elf import Unreadable, shared_library

BINARIES = Path(__file__).parent.parent / "data" / "binaries"
FILES = sorted(p for p in BINARIES.glob("*.so") if p.stem != "no-exports")
SMALL = (BINARIES / "speed.so").read_bytes()
LONGEST_S = 2.0


def by_pyelftools(path: Path) -> tuple[list[str], set[str], set[tuple[str, str]]]:
    with path.open("rb") as file:
        elf = ELFFile(file)
        dynamic = elf.get_section_by_name(".dynamic")
        needed = [t.needed for t in dynamic.iter_tags("DT_NEEDED")]
        symbols, versym = elf.get_section_by_name(".dynsym"), elf.get_section_by_name(".gnu.version")
        used = set()
        for name in (".rela.dyn", ".rela.plt"):
            section = elf.get_section_by_name(name)
            used |= {r["r_info_sym"] for r in section.iter_relocations()} if section else set()
        undefined = set()
        for n, symbol in enumerate(symbols.iter_symbols()):
            index = versym.get_symbol(n)["ndx"]
            if (
                symbol["st_shndx"] == "SHN_UNDEF"
                and symbol["st_info"]["bind"] == "STB_GLOBAL"
                and n in used
                and index in ("VER_NDX_GLOBAL", "VER_NDX_LOCAL")
            ):
                undefined.add(symbol.name)
        verneed = elf.get_section_by_name(".gnu.version_r")
        versions = {(v.name, a.name) for v, auxiliaries in verneed.iter_versions() for a in auxiliaries}
    return needed, undefined, versions


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_it_reads_what_pyelftools_reads(path: Path) -> None:
    needed, undefined, versions = by_pyelftools(path)
    library = shared_library(path.read_bytes())
    assert library.machine == "x86_64"
    assert list(library.needed) == needed
    assert set(library.undefined) == undefined
    assert set(library.versions) == versions


def test_the_first_undefined_symbol_is_the_one_the_loader_stops_at() -> None:
    readme = (BINARIES / "README.md").read_text("utf-8")
    library = shared_library((BINARIES / "op-torch-2.13.0.so").read_bytes())
    missing = [s for s in library.undefined if "__cxx11" in s]
    assert f"undefined symbol: {missing[0]}`" in readme


def test_a_library_that_exports_nothing_is_read_to_its_last_symbol() -> None:
    """ld writes 1 as its first hashed symbol then, whatever stands before."""
    library = shared_library((BINARIES / "no-exports.so").read_bytes())
    assert library.undefined == ("_ZN3c103oneEv", "_ZN3c103twoEv", "_ZN3c105threeEv")


def patched(at: int, form: str, value: int) -> bytes:
    data = bytearray(SMALL)
    struct.pack_into(form, data, at, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"\x7fELF", "no ELF file"),
        (b"hello, I am a log\n" * 10, "it is no ELF file: it begins with b'hell'"),
        (patched(4, "<B", 1), "32 bits, little endian"),
        (patched(5, "<B", 2), "64 bits, big endian"),
        (patched(4, "<B", 9), "? bits"),
        (patched(16, "<H", 2), "it is a program"),
        (patched(16, "<H", 1), "it is an object file"),
        (patched(16, "<H", 4), "it is a core dump"),
        (patched(16, "<H", 999), "type 999"),
        (patched(0x20, "<Q", 1 << 60), "outside its"),
        (patched(0x20, "<Q", len(SMALL) - 8), "outside its"),
        (patched(0x36, "<H", 3), "program headers"),
        (patched(0x38, "<H", 0), "no dynamic section"),
        (SMALL[: len(SMALL) // 2], "truncated"),
        (SMALL[:80], "outside its"),
    ],
)
def test_a_broken_header_is_unreadable_and_says_what_was_seen(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable) as refused:
        shared_library(data)
    assert said in str(refused.value) or "ends, or points" in str(refused.value)


def dynamic_at() -> int:
    (at,) = struct.unpack_from("<Q", SMALL, 0x20)
    (count,) = struct.unpack_from("<H", SMALL, 0x38)
    for n in range(count):
        kind, _, offset = struct.unpack_from("<IIQ", SMALL, at + n * 56)
        if kind == 2:
            return int(offset)
    raise AssertionError("no dynamic section")


@pytest.mark.parametrize("value", [0, 1, 0xFFFF, 1 << 31, 1 << 40, (1 << 64) - 1, (1 << 64) - 64])
@pytest.mark.parametrize("slot", range(24))
def test_a_hostile_value_in_any_dynamic_tag_ends_soon(slot: int, value: int) -> None:
    assert seconds_of(patched(dynamic_at() + slot * 16 + 8, "<Q", value)) < LONGEST_S


@pytest.mark.parametrize("tag", [1, 4, 5, 6, 7, 8, 10, 23, 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF])
@pytest.mark.parametrize("slot", [0, 3, 7, 12, 20])
def test_a_tag_turned_into_another_ends_soon(slot: int, tag: int) -> None:
    assert seconds_of(patched(dynamic_at() + slot * 16, "<Q", tag)) < LONGEST_S


def test_section_headers_that_were_cut_off_do_not_matter_to_the_loader() -> None:
    library = shared_library(patched(0x28, "<Q", 0))
    assert library.sections == ()
    assert library.needed == shared_library(SMALL).needed


@pytest.mark.parametrize(
    ("at", "form", "value"), [(0x28, "<Q", 1 << 50), (0x3C, "<H", 0), (0x3C, "<H", 0xFFFF), (0x3E, "<H", 0xFFFF)]
)
def test_hostile_section_headers_end_soon(at: int, form: str, value: int) -> None:
    assert seconds_of(patched(at, form, value)) < LONGEST_S


def seconds_of(data: bytes) -> float:
    """Until it is read, or refused as unreadable; nothing else may be raised."""
    began = time.perf_counter()
    with contextlib.suppress(Unreadable):
        shared_library(data)
    return time.perf_counter() - began


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.binary(min_size=1, max_size=8)), max_size=8),
    cut=st.integers(0, len(SMALL)),
    is_cut=st.booleans(),
)
def test_no_mutation_of_a_real_library_breaks_it(changes: list[tuple[int, bytes]], cut: int, is_cut: bool) -> None:
    data = bytearray(SMALL)
    for at, new in changes:
        data[at : at + len(new)] = new
    assert seconds_of(bytes(data[:cut] if is_cut else data)) < LONGEST_S


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 0x1000 // 8 - 1), st.integers(0, (1 << 64) - 1)), min_size=1, max_size=4)
)
def test_no_word_of_its_first_page_breaks_it(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for at, word in changes:
        if at:  # the magic stays
            struct.pack_into("<Q", data, at * 8, word)
    assert seconds_of(bytes(data)) < LONGEST_S


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2000))
def test_random_bytes_behind_a_right_magic_break_nothing(tail: bytes) -> None:
    assert seconds_of(SMALL[:64] + tail) < LONGEST_S
