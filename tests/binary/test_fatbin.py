"""Architectures in a library: equal to cuobjdump's list, and what runs where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.binary.elf import shared_library
from preflight.binary.fatbin import Arch, DamagedFatbin, Kind, archs

BINARIES = Path(__file__).parent.parent / "data" / "binaries"
LISTED = re.compile(r"\.sm_(\d+)([a-z]?)\.(cubin|ptx)$")
PACKED = (BINARIES / "packed.so").read_bytes()


def held(data: bytes) -> tuple[Arch, ...]:
    return archs(data, shared_library(data))


@pytest.mark.parametrize("name", ["plain", "packed", "speed"])
def test_they_are_those_that_cuobjdump_lists(name: str) -> None:
    listed = {
        (int(m[1]), m[3], m[2])
        for line in (BINARIES / f"{name}.txt").read_text("utf-8").splitlines()
        if (m := LISTED.search(line))
    }
    found = held((BINARIES / f"{name}.so").read_bytes())
    # cuobjdump shows no f at a cubin's name
    assert {(a.sm, a.kind.value, "" if a.variant == "f" else a.variant) for a in found} == listed


def test_a_family_is_told_from_one_gpu_and_from_all() -> None:
    assert [str(a) for a in held(PACKED)] == ["sm_75", "sm_90a", "sm_100f", "sm_120", "compute_120"]


def test_a_library_without_gpu_code_has_none() -> None:
    assert held((BINARIES / "op-torch-2.2.2.so").read_bytes()) == ()


@pytest.mark.parametrize(
    ("arch", "runs", "does_not"),
    [
        (Arch(80, Kind.CUBIN), [80, 86, 89], [75, 90, 100]),
        (Arch(86, Kind.CUBIN), [86, 89], [80, 90]),
        (Arch(90, Kind.CUBIN), [90], [80, 100, 120]),
        (Arch(90, Kind.CUBIN, "a"), [90], [100, 89]),
        (Arch(90, Kind.PTX, "a"), [90], [100, 120]),
        (Arch(100, Kind.CUBIN, "f"), [100, 103], [120, 90]),
        (Arch(80, Kind.PTX), [80, 90, 100, 120], [75]),
        (Arch(87, Kind.CUBIN), [87], [89]),  # Orin: no card runs its code
        (Arch(86, Kind.CUBIN), [89], [87]),
    ],
)
def test_what_runs_where(arch: Arch, runs: list[int], does_not: list[int]) -> None:
    assert [sm for sm in runs if not arch.runs_on(sm)] == []
    assert [sm for sm in does_not if arch.runs_on(sm)] == []


def section(data: bytes) -> tuple[int, int]:
    return next((at, size) for name, at, size in shared_library(data).sections if name == ".nv_fatbin")


@pytest.mark.parametrize(
    ("offset", "new"),
    [
        (0, b"\0\0\0\1"),  # another magic
        (6, b"\0\0"),  # a header of no bytes: it would be read for ever
        (8, b"\xff" * 8),  # longer than its section
        (16 + 4, b"\0\0\0\0"),  # an entry's header of no bytes
        (16 + 8, b"\xff" * 8),  # a body longer than the file
    ],
)
def test_a_chain_that_does_not_add_up_is_damaged_and_not_half_read(offset: int, new: bytes) -> None:
    at, _ = section(PACKED)
    data = PACKED[: at + offset] + new + PACKED[at + offset + len(new) :]
    with pytest.raises(DamagedFatbin):
        held(data)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, section(PACKED)[1] - 8), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6
    )
)
def test_no_mutation_of_the_section_breaks_it(changes: list[tuple[int, bytes]]) -> None:
    at, _ = section(PACKED)
    data = bytearray(PACKED)
    for offset, new in changes:
        data[at + offset : at + offset + len(new)] = new
    try:
        held(bytes(data))
    except DamagedFatbin as e:
        assert str(e)
