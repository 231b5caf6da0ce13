"""A GPU that is not what its name says: told with its numbers, and a healthy one is not."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from preflight.probe.health_verdict import health, lemons
from preflight.probe.reading import parsed

KEPT = Path(__file__).parents[1] / "data" / "probes" / "h200-two-gpus.json"


@pytest.fixture
def two():
    return copy.deepcopy(json.loads(KEPT.read_text("utf-8"))["reading"])


def test_two_healthy_gpus_have_nothing_wrong_and_are_shown_with_what_is_healthy(two):
    reading = parsed(two)
    assert lemons(reading) == ()
    assert [(row["index"], row["sum_is_right"], row["findings"]) for row in health(reading)] == [
        (0, True, []),
        (1, True, []),
    ]
    assert health(reading)[0]["healthy"]["copy_gbps"] == 4300.0


@pytest.mark.parametrize(
    ("change", "said", "is_certain"),
    [
        ({"tflops": 400.0}, "bfloat16 products at 400 TFLOP/s; healthy is 780", False),
        ({"tflops": 640.0}, "bfloat16 products at 640 TFLOP/s; its neighbours do 804", False),
        ({"copy_gbps": 900.0}, "copies at 900 GB/s; healthy is 4300", False),
        ({"reduce_gbps": 40.0}, "the all-reduce at 40 GB/s; healthy is 300", False),
        ({"sum_is_right": False}, "the all-reduce of 2 GPUs gave it a wrong sum", True),
        ({"loaded": {"temperature.gpu": "91"}}, "91 °C", False),
        ({"loaded": {"clocks_throttle_reasons.active": "0x0000000000000040"}}, "hardware thermal", False),
    ],
)
def test_a_lemon_is_named_with_its_numbers(two, change, said, is_certain):
    two["gpus"][1]["value"].update(change)
    (found,) = lemons(parsed(two))
    assert (found.rank, found.is_certain) == (1, is_certain)
    assert said in found.fault


@pytest.mark.parametrize("reasons", ["0x0000000000000004", "0x0000000000000001", "N/A"])
def test_the_power_cap_and_idleness_are_no_fault(two, reasons):
    two["gpus"][0]["value"]["loaded"] = {"clocks_throttle_reasons.active": reasons}
    assert lemons(parsed(two)) == ()


def test_a_gpu_that_gives_no_answer_and_one_with_memory_errors_are_certain(two):
    two["gpus"][0].update(outcome="time-out", value=None, at="the all-reduce of 2 GPUs")
    two["cards"][1]["ecc.errors.uncorrected.volatile.total"] = "3"
    silent, broken = lemons(parsed(two))
    assert (silent.rank, silent.is_certain, broken.rank, broken.is_certain) == (0, True, 1, True)
    assert "no answer at its the all-reduce" not in silent.fault
    assert "3 uncorrected ECC errors" in broken.fault


def test_a_gpu_that_the_table_does_not_know_is_only_held_against_its_neighbours(two):
    for row in two["gpus"]:
        row["value"]["name"] = "NVIDIA B999"
        row["value"]["tflops"] = 20.0
    assert lemons(parsed(two)) == ()


def test_the_row_of_each_gpu_holds_its_own_figures_and_its_own_faults(two):
    two["gpus"][0].update(outcome="crash", value=None, at="", signal="SIGSEGV")
    two["gpus"][1]["value"].update(tflops=400.0, loaded={"temperature.gpu": "40"})
    silent, slow = health(parsed(two))
    assert (silent["name"], silent["tflops"], silent["copy_gbps"], silent["loaded"]) == ("", None, None, {})
    assert silent["findings"] == ["it gave no answer in its first call: SIGSEGV"] and silent["is_certain"]
    assert (slow["name"], slow["tflops"], slow["loaded"]) == ("NVIDIA H200", 400.0, {"temperature.gpu": "40"})
    assert slow["findings"] == ["bfloat16 products at 400 TFLOP/s; healthy is 780"] and not slow["is_certain"]


def test_a_figure_at_its_bound_is_no_fault(two):
    for row in two["gpus"]:
        row["value"].update(tflops=0.75 * 780.0, loaded={"temperature.gpu": "86.9"})
    assert lemons(parsed(two)) == ()


def test_an_answer_without_figures_is_a_fault_whatever_it_says_of_itself(two):
    two["gpus"][0].update(outcome="ok", value=None)
    assert [(x.rank, x.is_certain) for x in lemons(parsed(two))] == [(0, True)]
