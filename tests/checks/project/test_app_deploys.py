"""app-deploys: what it says of a recording, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as changed

from preflight.app import reader
from preflight.app.lookups import READING
from preflight.app.model import Recipe
from preflight.discover.recorder import RECORDING, NotRecorded, Obstacle
from preflight.discover.recording import RecordedFunction, Recording
from preflight.engine import builtin
from preflight.lookups import LookupFailed
from preflight.model import Result, Where
from preflight.testing import run_check
from tests.conftest import Preflight

CHECK = next(c for c in builtin.checks() if c.name == "app-deploys")
APP = 'import modal\napp = modal.App("x")\n@app.function(gpu="A100", timeout=600)\ndef train():\n    pass\n'


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "app.py").write_text(APP)
    return reader.read(tmp_path / "app.py", project=tmp_path)


def recording(**new: Any) -> Recording:
    values: dict[str, Any] = {
        "name": "train",
        "definition": "train",
        "is_class": False,
        "gpus": (("A100", 1),),
        "timeout_s": 600,
        "startup_timeout_s": 600,
        "cpu": None,
        "memory_mib": None,
        "retries": 0,
        "secrets": (),
        "mounts": {},
        "image": None,
    }
    function = RecordedFunction(**(values | new))
    return Recording(
        apps=("x",), functions=(function,), builder="2025.06", seconds=1.0, closed_by="kernel", requests=20
    )


def asked(recipe: Recipe, told: object) -> Result:
    return run_check(CHECK, {READING: recipe, RECORDING: told})


def test_a_text_that_the_client_agrees_with_passes_and_says_what_was_looked_at(recipe: Recipe) -> None:
    result = asked(recipe, recording())
    assert result.status == "pass"
    assert "1 function for builder 2025.06; the text says the same" in result.reason
    assert result.answer is not None
    assert result.answer.seen["network_closed_by"] == "kernel"


def test_a_network_that_only_python_closed_is_said_so(recipe: Recipe) -> None:
    told = changed(recording(), closed_by="python")
    assert "another program than Python could reach the network" in asked(recipe, told).reason
    assert "network" not in asked(recipe, recording()).reason


def test_nobody_asked_is_a_skip_that_says_how_to_ask(recipe: Recipe) -> None:
    result = asked(recipe, None)
    assert result.status == "skip"
    assert "--record" in result.reason


def test_a_broken_recorder_blocks_and_is_no_finding(recipe: Recipe) -> None:
    result = asked(recipe, LookupFailed(RECORDING, "the recorder ended without an answer"))
    assert result.status == "blocked"
    assert result.findings == ()


def test_another_value_is_a_warning_at_the_function(recipe: Recipe) -> None:
    result = asked(recipe, recording(gpus=(("H100", 1),)))
    assert result.status == "warn"
    (finding,) = result.findings
    assert "read as A100, the client asks for H100" in finding.message
    assert finding.where is not None
    assert finding.where.line == 4


def test_a_function_that_the_text_has_and_nobody_deploys_is_no_warning(recipe: Recipe) -> None:
    told = recording()
    empty = Recording(apps=("x",), functions=(), builder="2025.06", seconds=1.0, closed_by="kernel", requests=9)
    assert asked(recipe, empty).status == "pass"
    assert asked(recipe, told).status == "pass"


def test_a_deployed_function_that_was_not_read_is_a_warning(recipe: Recipe) -> None:
    result = asked(recipe, recording(name="unseen", definition="unseen"))
    assert result.status == "warn"
    assert any("unseen is deployed" in f.message for f in result.findings)


@pytest.mark.parametrize("obstacle", [Obstacle.RAISED, Obstacle.EXITED])
def test_what_would_stop_the_deploy_fails_with_the_users_line(recipe: Recipe, obstacle: Obstacle) -> None:
    told = NotRecorded(
        obstacle=obstacle, message="ValueError: no", where=Where("app.py", 7), line="raise ValueError('no')"
    )
    result = asked(recipe, told)
    assert result.status == "fail"
    (finding,) = result.findings
    assert "modal deploy app.py" in finding.message
    assert finding.where == Where("app.py", 7)
    assert finding.evidence == ("raise ValueError('no')",)


@pytest.mark.parametrize("obstacle", [o for o in Obstacle if o not in (Obstacle.RAISED, Obstacle.EXITED)])
def test_what_only_the_recording_can_not_do_is_a_warning_that_nothing_is_known(
    recipe: Recipe, obstacle: Obstacle
) -> None:
    result = asked(recipe, NotRecorded(obstacle=obstacle, message="X"))
    assert result.status == "warn"
    assert result.findings[0].message.startswith("not recorded")
    assert result.findings[0].remedy


def test_a_value_that_a_recording_fills_reaches_the_other_checks(preflight: Preflight, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "gpu.txt").write_text("A100-90GB")
    (project / "app.py").write_text(
        'import modal\napp = modal.App("x")\n@app.function(gpu=open("gpu.txt").read(), timeout=600)\ndef f(): ...\n'
    )
    words = ("run", "app.py", "--only", "res-no-gpu,app-deploys,res-gpu-unknown", "--json")
    without = json.loads(preflight(*words, cwd=project).out)
    assert {r["name"]: r["status"] for r in without["results"]}["app-deploys"] == "skip"
    with_record = json.loads(preflight(*words, "--record", cwd=project).out)
    (result,) = [r for r in with_record["results"] if r["name"] == "app-deploys"]
    assert result["status"] == "pass"
    assert result["seen"]["filled"] == {"f": ["gpu"]}


def test_record_in_the_configuration_asks_too_and_lint_never_runs_the_app(preflight: Preflight, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    ran = project / "ran"
    (project / "app.py").write_text(APP + f"open({str(ran)!r}, 'w')\n")
    (project / "pyproject.toml").write_text("[tool.preflight]\nrecord = true\n")
    assert preflight("lint", "app.py", cwd=project).code in (0, 1)
    assert not ran.exists()
    done = preflight("check", "app-deploys", "app.py", cwd=project)
    assert done.code == 0, done.out
    assert "1 function for builder" in done.out
    assert not ran.exists()  # a recording changes no file


def test_a_failing_top_level_is_exit_1_and_the_screen_names_the_line(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP + "raise RuntimeError('not today')\n")
    done = preflight("check", "app-deploys", "app.py", "--record", cwd=tmp_path)
    assert done.code == 1
    assert "RuntimeError: not today" in done.out
    assert "app.py:6" in done.out
    assert "Traceback" not in done.out + done.err
