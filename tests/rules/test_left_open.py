"""What the text leaves open is shown with its place; it is unknown where the run depends on it, and else no verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.engine import builtin
from preflight.model import Answer, NotApplicable, Stage, Unknown
from preflight.rules.form import Context, Rule

HEAD = "import os\nimport modal\nimport cfg\n\napp = modal.App('x')\n"
RULES = {r.name: r for r in builtin.checks({Stage.STATIC}) if isinstance(r, Rule)}


def answer(name: str, options: str, tmp_path: Path) -> Answer | NotApplicable | Unknown:
    text = f"{HEAD}\n@app.function({options})\ndef train(): ...\n"
    recipe = reader.read(tmp_path / "app.py", project=tmp_path, content=text.encode())
    return RULES[name].answer(recipe, Context(None, tmp_path, datetime.now(UTC)))


@pytest.mark.parametrize("gpu", ['os.environ["X"]', "cfg.gpu", "f'{cfg.gpu}:8'"])
def test_a_gpu_that_is_not_in_the_text_is_unknown_with_its_place(gpu: str, tmp_path: Path) -> None:
    found = answer("res-gpu-unknown", f"gpu={gpu}", tmp_path)
    assert isinstance(found, Unknown)
    assert found.reason.startswith("not resolved (app.py:7")


def test_a_timeout_that_is_not_in_the_text_is_shown_and_not_judged(tmp_path: Path) -> None:
    found = answer("res-timeout-over-max", "timeout=cfg.t", tmp_path)
    assert isinstance(found, NotApplicable)
    assert found.reason.startswith("not resolved (app.py:7")


@pytest.mark.parametrize("options", ['gpu=os.environ.get("X", "A100")', 'gpu="A100"', "timeout=60", ""])
def test_a_default_or_no_gpu_leaves_nothing_open(options: str, tmp_path: Path) -> None:
    assert not isinstance(answer("res-gpu-unknown", options, tmp_path), Unknown)


@pytest.mark.parametrize("amount", ["'1'", "cfg.hours", "[1]", "None"])
def test_a_duration_of_what_is_no_number_is_left_open(amount: str, tmp_path: Path) -> None:
    duration = f"import datetime\nT = datetime.timedelta(hours={amount}).total_seconds()\n"
    text = f"{HEAD}{duration}@app.function(timeout=T)\ndef f(): ...\n"
    [function] = reader.read(tmp_path / "app.py", project=tmp_path, content=text.encode()).functions
    assert "Unresolved" in type(function.timeout_s).__name__
