"""Wheels of the index against the torch that their metadata pins: what they were built for they load with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from preflight.binary.elf import SharedLibrary
from preflight.binary.link import Beside, Library, Linked, Target, Verdict, judge
from preflight.facts.symbols import pypi_columns
from preflight.facts.torch import minor

FILE = Path(__file__).parent.parent / "data" / "symbols" / "wheels.json"
WHEELS = json.loads(FILE.read_text("utf-8"))["wheels"]
PINNED = [w for w in WHEELS if w["torch"]]
BUILT_WITH_ANOTHER_CUDA = "xformers-0.0.33-"  # pins torch 2.9.0, whose CUDA is 12; replaced within a day by .post1
BUNDLED = re.compile(r"\.[0-9a-f]{8}\.so")  # a wheel's own copy, by the name that auditwheel gave it


def judged(wheel: dict[str, Any], torch: str) -> list[Linked]:
    needed = {name for one in wheel["libraries"] for name in one["needed"] if BUNDLED.search(name)}
    names = frozenset(one["path"].rpartition("/")[2] for one in wheel["libraries"]) | needed
    return [
        judge(Library(one["path"], library(one), ()), Target(torch), wheel["wheel"], Beside(names))
        for one in wheel["libraries"]
    ]


def library(one: dict[str, Any]) -> SharedLibrary:
    return SharedLibrary(
        machine="x86_64",
        soname="",
        needed=tuple(one["needed"]),
        undefined=tuple(one["undefined"]),
        versions=(),
        init_functions=(),
        sections=(),
    )


@pytest.mark.parametrize("wheel", PINNED, ids=lambda w: w["wheel"].partition("-cp")[0])
def test_a_wheel_loads_with_the_torch_that_it_pins_and_with_none_of_another_time(wheel: dict[str, Any]) -> None:
    (one,) = judged(wheel, wheel["torch"])
    if wheel["wheel"].startswith(BUILT_WITH_ANOTHER_CUDA):
        assert one.verdict is Verdict.DOES_NOT_LOAD and one.reasons[0].startswith("libcudart.so.13")
        return
    assert one.verdict is Verdict.LOADS, one.reasons
    columns = pypi_columns()
    at = columns.index(minor(wheel["torch"]))
    for far in (*columns[: max(0, at - 3)], *columns[at + 5 :]):
        assert judged(wheel, f"{far}.0")[0].verdict is Verdict.DOES_NOT_LOAD, far


def test_no_wheel_is_unknown_for_want_of_a_symbol() -> None:
    assert not [one.unknown_symbols for wheel in PINNED for one in judged(wheel, wheel["torch"]) if one.unknown_symbols]


@pytest.mark.parametrize(("torch", "fits"), [("2.9.1", "cuda128"), ("2.11.0", "cuda130"), ("2.0.1+cu118", "cuda118")])
def test_of_one_library_per_cuda_those_of_the_torchs_cuda_load(torch: str, fits: str) -> None:
    (wheel,) = [w for w in WHEELS if w["wheel"].startswith("bitsandbytes")]
    loads = [one.path for one in judged(wheel, torch) if one.verdict is Verdict.LOADS]
    assert any(fits in path for path in loads)
    assert not all("cuda118" in path for path in loads) or "cu118" in torch
