"""What `preflight link` shows: one block a library that matters, the others in one line."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from preflight.binary.fatbin import Arch, Kind
from preflight.binary.link import Linked, Target, Verdict
from preflight.report.screens.link import show

PLAIN = Linked(path="a.whl/x.libs/libz.so.1", verdict=Verdict.LOADS)
ASKS = Linked(
    path="a.whl/x/_C.so", verdict=Verdict.LOADS, torch_symbols=3, torch_versions=("2.4", "2.5"), cxx11abi=False
)


def shown(*linked: Linked, width: int = 100, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    show(Console(file=file, width=width, highlight=False, markup=False, emoji=False), {Path("a.whl"): linked}, Target())
    file.flush()
    return raw.getvalue().decode(encoding)


def test_libraries_that_ask_for_nothing_share_a_line() -> None:
    text = shown(PLAIN, ASKS, PLAIN)
    assert "2 libraries that ask neither torch nor a GPU for anything: libz.so.1, libz.so.1" in text
    assert text.count("LOADS") == 3  # the wheel, the library that asks, and the others
    assert "2.4 to 2.5, by 3 of its 3 symbols of torch; old C++ ABI" in text


def test_a_single_library_is_shown_even_if_it_asks_for_nothing() -> None:
    assert "it asks torch for nothing" in shown(PLAIN)


def test_a_library_with_gpu_code_or_a_reason_is_never_folded() -> None:
    gpu = Linked(path="a.whl/k.so", verdict=Verdict.LOADS, archs=(Arch(80, Kind.CUBIN),))
    bad = Linked(path="a.whl/b.so", verdict=Verdict.UNREADABLE, reasons=("it is empty",))
    text = shown(gpu, bad, PLAIN)
    assert "a.whl/k.so" in text and "sm_80" in text
    assert "UNREADABLE  a.whl/b.so" in text and "it is empty" in text


def test_a_narrow_ascii_terminal_and_hostile_data_are_survived() -> None:
    hostile = Linked(
        path="a\x1b[2J.so",
        verdict=Verdict.DOES_NOT_LOAD,
        reasons=("undefined symbol: _Z\x07[red]…",),
        remedy="build it [bold]",
    )
    text = shown(hostile, width=40, encoding="ascii")
    assert "\x1b" not in text and "\x07" not in text
    assert "[red]..." in text and "[bold]" in text
    assert max(map(len, text.splitlines())) <= 40


def test_alternatives_share_a_block_that_says_which_of_them_load() -> None:
    linked = [
        Linked(
            path=f"a.whl/x/lib_cuda{n}.so",
            verdict=Verdict.LOADS if n == 128 else Verdict.DOES_NOT_LOAD,
            reasons=() if n == 128 else ("libcudart.so.11.0: cannot open shared object file",),
            archs=(Arch(80, Kind.CUBIN),),
            choice="a.whl/x/lib_cuda#.so",
        )
        for n in (117, 118, 128)
    ]
    text = shown(*linked)
    assert text.startswith("LOADS  a.whl\n")
    assert "one of 3 is chosen at run time: a.whl/x/lib_cuda#.so" in text
    assert "does not load: lib_cuda117.so, lib_cuda118.so: libcudart.so.11.0" in text
    assert text.count("\n") == 4
