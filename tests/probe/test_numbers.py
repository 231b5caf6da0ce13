"""The payload's numbers, on a real torch on the CPU: launches are stand-ins, tensors and gradients are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.probe.ruling import Cause, Verdict

pytest.importorskip("torch", reason="pip install torch: the CPU build is enough")
pytestmark = pytest.mark.torch
BACKED = Path(__file__).with_name("standins")


@pytest.fixture
def real(world):
    world.packages = (BACKED,)
    return lambda fault="", **request: probe(world, fault, request)


def probe(world, fault, request):
    world.environ["PROBE_FAULT"] = fault
    return world.probe(device="cpu", length=48, lanes=1, step_limit_s=150.0, limit_s=170.0, **request)


def only(block):
    return {"blocks": [{"block": block, "options": {"d_model": 64}}]}


@pytest.mark.parametrize("block", ["Mamba", "Mamba2"])
def test_right_numbers_by_another_way_agree_far_below_the_limit(real, world, block):
    judged = real(**only(block), dtypes=["float32", "bfloat16"])
    assert judged.verdict is Verdict.KERNELS
    assert judged.ruling.reason.startswith("simulated: ")
    by_dtype = {c["dtype"]: c["value"]["numerics"]["compared"] for c in world.document["cases"]}
    assert max(d["relative"] for d in by_dtype["float32"]) < 1e-4  # both ways round differently, and no more
    assert by_dtype["bfloat16"][0]["relative"] < 0.004  # one rounding to 8 bits
    # the output, and the gradient of each input and parameter, a projection in its parts
    assert len(by_dtype["float32"]) == {"Mamba": 15, "Mamba2": 19}[block]


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("zeros", Cause.ZERO_OUTPUT),
        ("nan", Cause.NAN_OUTPUT),
        ("wrong", Cause.WRONG_NUMBERS),
        ("zero-gradient", Cause.MISSING_BACKWARD),
        ("detached", Cause.MISSING_BACKWARD),
    ],
)
def test_wrong_numbers_are_broken_although_every_kernel_launches(real, fault, cause):
    judged = real(fault, **only("Mamba2"), dtypes=["float32"])
    assert (judged.verdict, judged.ruling.cause) == (Verdict.BROKEN, cause)
    assert judged.blocks[0].missing == ()


def test_a_lost_state_is_told_with_how_far_off_it_is(real):
    judged = real("wrong", **only("Mamba"), dtypes=["bfloat16"])
    assert judged.ruling.cause is Cause.WRONG_NUMBERS
    assert judged.ruling.evidence[0] == "output is 19 % off the reference; wanted at most 1.9 %"
