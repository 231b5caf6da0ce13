"""What others' pipelines run: the action's own script, the workflows, the hooks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from preflight.cli.main import COMMANDS
from tests.conftest import Preflight

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = [*sorted((ROOT / ".github").glob("workflows/*.yml")), *sorted((ROOT / ".github").glob("examples/*.yml"))]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
APP = 'import modal\n\napp = modal.App("x")\n\n\n@app.function(timeout=600)\ndef train(): ...\n'


def steps_of(document: dict) -> list[dict]:
    if "runs" in document:
        return document["runs"]["steps"]
    return [step for job in document["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("file", [ROOT / "action.yml", *WORKFLOWS], ids=lambda p: p.name)
def test_no_expression_is_pasted_into_a_script_and_every_script_parses(file: Path) -> None:
    document = yaml.safe_load(file.read_text("utf-8"))
    for step in steps_of(document):
        assert ("run" in step) != ("uses" in step)
        script = step.get("run", "")
        assert "${{" not in script  # it would run what a pull request's title says
        if "runs" in document and script:
            assert step["shell"] == "bash"
        assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0
        assert "@" in step.get("uses", "@")


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda p: p.name)
def test_a_workflow_says_what_it_may_and_ends_in_time(file: Path) -> None:
    document = yaml.safe_load(file.read_text("utf-8"))
    assert "permissions" in document and "jobs" in document and (True in document or "on" in document)
    assert document["permissions"].get("contents") == "read"


def test_the_example_gives_the_action_only_inputs_that_it_has() -> None:
    example = yaml.safe_load((ROOT / ".github/examples/preflight.yml").read_text("utf-8"))
    given = next(s["with"] for s in steps_of(example) if "/preflight@" in s.get("uses", ""))
    assert set(given) <= set(ACTION["inputs"])


def test_every_input_is_read_and_every_output_is_set() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
    for output in ACTION["outputs"]:
        assert f'echo "{output}=' in text


def run_action(preflight: Preflight, folder: Path, **env: str) -> tuple[int, dict[str, str], str]:
    """The action's own step, as the runner would start it."""
    step = next(s for s in ACTION["runs"]["steps"] if s.get("id") == "run")
    tool = folder / "tool"
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m preflight "$@"\n')
    tool.chmod(0o755)
    (folder / "output").touch()
    given = {"APP": "", "STAGE": "remote", "FAIL_ON": "fail", "BASELINE": "", "ARGUMENTS": "", "MODAL_TOKEN_ID": "",
             "MODAL_TOKEN_SECRET": "", "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(folder / "output"),
             "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), "PREFLIGHT": str(tool)}  # fmt: skip
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder / "project", env=preflight.environ(**{**given, **env}), capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    outputs = dict(line.split("=", 1) for line in (folder / "output").read_text().splitlines())
    return done.returncode, outputs, done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "app.py").write_text(APP)
    return tmp_path


def test_a_fork_without_secrets_gets_what_needs_none_and_is_told_what_was_left_out(
    preflight: Preflight, project: Path
) -> None:
    skip = '[tool.preflight]\nskip = ["smoke-test", "image-published"]\n'  # `modal run` is not the subject here
    (project / "project" / "pyproject.toml").write_text(skip)
    code, outputs, out = run_action(preflight, project)
    assert code == 0  # the step that follows gives the verdict
    assert (outputs["exit"], outputs["verdict"]) == ("0", "clean"), out
    assert "No Modal token" in (project / "summary.md").read_text()
    assert "made up: a Modal account" in out  # the rehearsal
    report = json.loads((Path(outputs["report"]) / "report.json").read_text())
    assert {r["stage"] for r in report["results"] if r["status"] == "pass"} == {"static"}


def test_findings_reach_the_summary_the_annotations_and_the_exit_code(preflight: Preflight, project: Path) -> None:
    (project / "project" / "app.py").write_text(APP.replace("600", "108000"))
    _, outputs, out = run_action(preflight, project, APP="app.py")
    assert (outputs["exit"], outputs["verdict"]) == ("1", "not-ready")
    assert "::error file=app.py,line=6" in out
    assert "res-timeout-over-max" in (project / "summary.md").read_text()
    assert "made up" not in out


def test_the_hooks_start_commands_and_options_that_there_are() -> None:
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")):
        program, command, *options = hook["entry"].split()
        assert program == "preflight" and command in COMMANDS
        done = subprocess.run(
            [sys.executable, "-m", "preflight", command, *options, "--help"],
            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0


def test_a_repository_without_modal_passes_the_hook_at_once(preflight: Preflight, project: Path) -> None:
    for n in range(50):
        (project / f"m{n}.py").write_text("import os\n" * 50)
    ran = preflight("lint", "--pass-others", "--quiet", *(f"m{n}.py" for n in range(50)), cwd=project)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_no_file_of_the_packages_is_ignored_and_so_left_out_of_the_wheel() -> None:
    """The build leaves out what .gitignore names: a room called `build` once was."""
    files = [str(p.relative_to(ROOT)) for top in ("preflight", "checks") for p in (ROOT / top).rglob("*.py")]
    assert "preflight/build/outcome.py" in files
    found = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=ROOT, input="\n".join(files), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if found.returncode == 128:
        pytest.skip("this is no git checkout")
    assert found.stdout == ""
