"""gpu-probe: which GPU is asked for, what it may cost, and what is said where the text leaves the GPU open."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.app import reader
from preflight.app.lookups import RECIPE
from preflight.cost.rates import CURRENT_RATES, listed
from preflight.engine import builtin
from preflight.model import Result, Status
from preflight.probe.on_modal import ProbePlan, plan_probe, probe_price
from preflight.remote.lookups import WORKSPACE
from preflight.settings import ProbeSettings, Settings
from preflight.testing import run_check

CHECK = next(c for c in builtin.checks() if c.id == "GPU001")
APP = """import os, modal
image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0", "mamba-ssm==2.2.4")
app = modal.App("x")
@app.function(image=image{gpu})
def train(): ...
"""


def plan(folder: Path, gpu: str, **probe: object) -> ProbePlan:
    (folder / "app.py").write_text(APP.format(gpu=f", gpu={gpu}"))
    settings = Settings(project=folder, app=Path("app.py"), probe=ProbeSettings(**probe))  # type: ignore[arg-type]
    return plan_probe(settings, reader.read(folder / "app.py", project=folder))


def result(folder: Path, gpu: str) -> Result:
    (folder / "app.py").write_text(APP.format(gpu=gpu))
    recipe = reader.read(folder / "app.py", project=folder)
    given = {RECIPE: recipe, WORKSPACE: None, CURRENT_RATES: None}
    return run_check(
        CHECK, given, settings=Settings(project=folder, app=Path("app.py"), probe=ProbeSettings(function="train"))
    )


@pytest.mark.parametrize(
    ("gpu", "asked"),
    [('"H100"', ("H100",)), ('"h100:8"', ("h100",)), ('["H100:8", "A100-80GB:2", "H100"]', ("H100", "A100-80GB"))],
)
def test_one_gpu_of_each_type_is_asked_for(tmp_path: Path, gpu: str, asked: tuple[str, ...]) -> None:
    assert plan(tmp_path, gpu).gpus == asked


def test_that_the_others_and_their_link_are_left_out_is_said_with_what_asks_for_them(tmp_path: Path) -> None:
    assert plan(tmp_path, '"H100"').left_out == ""
    said = plan(tmp_path, '"H100:8"').left_out
    assert said == "one GPU of H100:8: --gpu-health asks for all, and for the link between them"


@pytest.mark.parametrize("probe", [{"gpu_health": True}, {"gpus": ("H100:8",)}])
def test_every_gpu_is_asked_where_the_user_asks_for_every_one(tmp_path: Path, probe: dict[str, object]) -> None:
    found = plan(tmp_path, '"H100:8"', **probe)
    assert (found.gpus, found.left_out) == (("H100:8",), "")


def test_eight_gpus_fit_in_the_usual_limit_because_one_is_asked_for(tmp_path: Path) -> None:
    one, basis = probe_price(plan(tmp_path, '"H100:8"'), listed())
    every, _ = probe_price(plan(tmp_path, '"H100:8"', gpu_health=True), listed())
    assert one < Settings().spend_max < every
    assert basis.startswith("300 s of H100; one GPU of H100:8")


@pytest.mark.parametrize("gpu", [', gpu=os.environ["GPU"]', ""])
def test_a_gpu_that_the_text_leaves_open_is_unknown_with_what_to_give(tmp_path: Path, gpu: str) -> None:
    found = result(tmp_path, gpu)
    assert found.status is Status.UNKNOWN
    assert "preflight probe app.py --gpu TYPE, or gpus in [tool.preflight.probe]" in found.reason
    assert "NoFunction" not in found.reason


def test_the_place_that_leaves_it_open_is_named(tmp_path: Path) -> None:
    assert "which GPU train gets is not in the text (app.py:4" in result(tmp_path, ', gpu=os.environ["GPU"]').reason
