"""`preflight run --all`: several apps, one report, and what must not be asked twice or paid for."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.conftest import InProcess
from tests.conftest import Preflight

SCHEMA = json.loads(files("preflight.report").joinpath("schemas/preflight.report-1.json").read_text("utf-8"))
GOOD = """
import modal

app = modal.App("good")
image = modal.Image.debian_slim(python_version="3.12").pip_install("numpy==1.26.4")


@app.function(image=image, timeout=600)
def train():
    pass
"""
BAD = GOOD.replace("good", "bad").replace("timeout=600", 'timeout=100000, gpu="A100-90GB"')


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "deploy").mkdir(parents=True)
    (folder / "good.py").write_text(GOOD)
    (folder / "deploy" / "bad.py").write_text(BAD)
    (folder / "pyproject.toml").write_text('[tool.preflight.lint]\ncommand = "echo asked >> asked.txt"\n')
    return folder


def report(preflight: Preflight, project: Path, *words: str) -> tuple[int, dict[str, dict[str, Any]], dict[str, Any]]:
    ran = preflight("run", "--all", "--json", *words, cwd=project)
    assert "Traceback" not in ran.err
    whole = json.loads(ran.out)  # one document, whatever was asked
    jsonschema.validate(whole, SCHEMA)
    assert whole["exit"] == ran.code
    results = {r["id"]: r for r in whole["results"]}
    assert len(results) == len(whole["results"])  # each check once
    return ran.code, {r["name"]: r for r in whole["results"]}, whole


def test_without_all_several_apps_ask_for_a_choice_and_name_all(quick: InProcess, project: Path) -> None:
    ran = quick("run", cwd=project)
    assert ran.code == 2
    for words in ("2 Modal apps", "deploy/bad.py", "good.py", "--all"):
        assert words in ran.err


def test_the_worst_app_decides_and_each_finding_names_its_own(quick: InProcess, project: Path) -> None:
    code, results, whole = report(quick, project, "--stage", "static")
    assert code == 1
    assert whole["target"]["app"] is None
    assert whole["target"]["apps"] == ["good.py", "deploy/bad.py"]
    bad = results["res-timeout-over-max"]
    assert bad["status"] == "fail"
    assert [f["where"]["path"] for f in bad["findings"]] == ["deploy/bad.py"]
    assert {app: seen["status"] for app, seen in bad["seen"]["apps"].items()} == {
        "deploy/bad.py": "fail",
        "good.py": "pass",
    }


def test_apps_that_are_all_right_are_ready(quick: InProcess, project: Path) -> None:
    (project / "deploy" / "bad.py").write_text(GOOD.replace("good", "also"))
    code, results, _ = report(quick, project, "--stage", "static")
    assert code == 0, [r for r in results.values() if r["status"] not in ("pass", "skip")]


def test_what_looks_at_no_app_is_asked_once(quick: InProcess, project: Path) -> None:
    _, results, _ = report(quick, project, "--stage", "static")
    assert results["project-lint"]["status"] == "pass"
    assert (project / "asked.txt").read_text() == "asked\n"


def test_a_failure_of_one_app_keeps_money_from_being_spent_on_another(preflight: Preflight, project: Path) -> None:
    code, results, whole = report(preflight, project, "--skip", "MOD,STO", "--spend-max", "100")
    assert code == 1
    assert results["gpu-probe"]["status"] == "skip"
    assert "must be right first" in results["gpu-probe"]["reason"]
    assert whole["spent_usd"] == 0


def test_an_app_that_can_not_be_read_costs_its_own_answers_only(quick: InProcess, project: Path) -> None:
    (project / "deploy" / "bad.py").write_text("import modal\napp = modal.App('x'\n")
    code, results, _ = report(quick, project, "--stage", "static")
    assert code == 1
    assert results["app-syntax"]["status"] == "fail"
    assert results["ver-python-unset"]["seen"]["apps"]["good.py"]["status"] == "pass"


def test_one_app_is_a_run_like_any_other(quick: InProcess, project: Path) -> None:
    (project / "deploy" / "bad.py").unlink()
    _, _, whole = report(quick, project, "--stage", "static")
    assert whole["target"]["app"] == "good.py"
    assert whole["target"]["apps"] == ["good.py"]


def test_the_screen_names_the_apps_and_no_command_that_does_not_exist(quick: InProcess, project: Path) -> None:
    (project / "deploy" / "bad.py").write_text(GOOD.replace("good", "also"))
    ran = quick("run", "--all", "--stage", "static", cwd=project)
    assert "2 apps: good.py, deploy/bad.py" in ran.out
    assert "preflight run --all" in ran.out and "modal run --detach APP" not in ran.out


def test_no_app_at_all_and_an_app_by_name_are_usage_errors(quick: InProcess, project: Path, tmp_path: Path) -> None:
    ran = quick("run", "--all", "good.py", cwd=project)
    assert (ran.code, ran.out) == (2, "")
    empty = tmp_path / "empty"
    empty.mkdir()
    ran = quick("run", "--all", cwd=empty)
    assert ran.code == 2
    assert "no Modal app" in ran.err


def test_the_limit_of_the_run_is_that_of_all_apps_together(quick: InProcess, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.preflight.lint]\ncommand = "sleep 30"\n')
    began = time.monotonic()
    code, results, _ = report(quick, project, "--stage", "static", "--timeout", "2")
    assert time.monotonic() - began < 25
    assert code in (1, 3)
    assert results["project-lint"]["status"] == "error"


def test_an_interrupt_is_told_as_such_and_starts_no_other_app(preflight: Preflight, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.preflight.lint]\ncommand = "touch started; sleep 60"\n')
    command = [sys.executable, "-m", "preflight", "run", "--all", "--stage", "static", "--json"]
    with subprocess.Popen(
        command, cwd=project, env=preflight.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        end = time.monotonic() + 30
        while not (project / "started").exists() and time.monotonic() < end:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
    assert run.returncode == 130, err
    whole = json.loads(out)
    assert whole["verdict"] == "interrupted"
    assert {r["name"]: r["status"] for r in whole["results"]}["project-lint"] == "error"
