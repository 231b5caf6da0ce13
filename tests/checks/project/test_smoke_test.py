"""The smoke test's memory, through the real command and a local Modal: what is asked again, and what is not."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from preflight.sandbox import serve
from tests.conftest import HIDDEN, REPOSITORY, python

APP = "deploy/modal/app.py"
LIMIT_S = 120
CHECK = ["-m", "preflight", "check", "smoke-test"]
COMMAND = "echo ran >> ../runs; echo text; test ! -e ../broken"
ADDED = """
import os
GPU = os.environ.get("TRAIN_GPU", "A100-80GB")
extra = image.add_local_dir(str(PROJECT.parent / "shared"), "/root/extra")
"""


class Project:
    def __init__(self, top: Path, sandbox: serve.Sandbox) -> None:
        self.top = top
        self.folder = top / "project"
        self.sandbox = sandbox
        shutil.copytree(sandbox.project, self.folder)
        self.edit("pyproject.toml", "modal run deploy/modal/app.py --action smoke", COMMAND)
        with (self.folder / APP).open("a", encoding="utf-8") as file:
            file.write(ADDED)
        for name in ("shared/weights.bin", "project/.env", "project/VERSION", "project/src/seizure/table.csv"):
            (top / name).parent.mkdir(exist_ok=True)
            (top / name).write_text("1\n", encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.folder / name
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    @property
    def runs(self) -> int:
        """How often the command has really run."""
        file = self.top / "runs"
        return len(file.read_text("utf-8").splitlines()) if file.exists() else 0

    @property
    def memory(self) -> Path:
        (found,) = (self.top / "state").rglob("PRJ002.json")
        return found

    def environ(self, **env: str) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN)}
        ours = {"HOME": str(self.top), "XDG_STATE_HOME": str(self.top / "state"), "PYTHONPATH": str(REPOSITORY)}
        return {**self.sandbox.applied(clean), **ours, **env}

    def run(self, *options: str, **env: str) -> str:
        command, env = [*CHECK, *options], self.environ(**env)
        done = python(command, cwd=self.folder, env=env, limit_s=LIMIT_S)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done.stdout.decode()

    def check(self, **env: str) -> dict[str, Any]:
        """The document's one result."""
        (result,) = json.loads(self.run("--json", **env))["results"]
        assert isinstance(result, dict)
        return result


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serve.Sandbox]:
    world = tmp_path_factory.mktemp("world") / "without-s3.toml"
    world.write_text('title = "no S3"\nwrong = "nothing"\nstorage = {buckets = []}\n', encoding="utf-8")
    with serve.start(world) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, sandbox: serve.Sandbox) -> Project:
    return Project(tmp_path, sandbox)


def test_an_unchanged_app_is_not_paid_for_twice(project: Project) -> None:
    first, second = project.check(), project.check()
    assert (first["status"], second["status"], project.runs) == ("pass", "pass", 1)
    assert (first["seen"]["remembered"], second["seen"]["remembered"]) == (False, True)
    assert second["reason"].startswith("passed on 20") and "for this very app" in second["reason"]


def test_what_the_memory_costs_is_nothing(project: Project) -> None:
    project.check()
    ledger = next((project.top / "state").rglob("spend.jsonl")).read_text("utf-8")
    project.check()
    assert next((project.top / "state").rglob("spend.jsonl")).read_text("utf-8") == ledger


def test_what_was_spent_here_is_told_on_request(project: Project) -> None:
    out = project.run()
    project.edit("pyproject.toml", "minutes = 15", "minutes = 30")
    verbose = project.run("-v")
    assert "smoke-test: up to $0.78 (15 min of A100-80GB" in out and "preflight has spent" not in out
    assert "spent $1.57" in verbose
    assert "preflight has spent $2.35 here, in 2 paid steps since 20" in verbose


def test_ctrl_c_in_the_middle_counts_the_whole_price_and_remembers_nothing(project: Project) -> None:
    project.edit("pyproject.toml", COMMAND, f"{COMMAND}; sleep 60")
    command = [sys.executable, *CHECK, "--json"]
    process = subprocess.Popen(command, cwd=project.folder, env=project.environ(), stdout=subprocess.PIPE)
    ends = time.monotonic() + LIMIT_S
    while not project.runs:
        assert time.monotonic() < ends
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=LIMIT_S)
    document = json.loads(out)
    assert (process.returncode, document["verdict"], document["spent_usd"]) == (130, "interrupted", 0.78)
    ledger = next((project.top / "state").rglob("spend.jsonl")).read_text("utf-8").split("\n")
    assert [(row["event"], row["usd"]) for row in map(json.loads, filter(None, ledger))] == [
        ("starts", "0.78"),
        ("ended", "0.78"),
    ]
    assert not list((project.top / "state").rglob("PRJ002.json"))


Change = Callable[[Project], dict[str, str] | None]


def wrote(name: str) -> Change:
    def change(project: Project) -> None:
        (project.top / name).write_text("2\n", encoding="utf-8")

    return change


CHANGES: dict[str, Change] = {
    "one byte of the app": lambda p: p.edit(APP, "epochs: int = 100", "epochs: int = 101"),
    "one byte of a module": lambda p: p.edit("src/seizure/train.py", "0.1", "0.2"),
    "one byte of data": wrote("project/src/seizure/table.csv"),
    "one byte of .env": wrote("project/.env"),
    "one byte of a file without suffix": wrote("project/VERSION"),
    "a new file": wrote("project/src/seizure/new"),
    "one byte outside the project that the app adds": wrote("shared/weights.bin"),
    "a file made executable": lambda p: (p.folder / "VERSION").chmod(0o755),
    "a setting": lambda p: p.edit("pyproject.toml", "minutes = 15", "minutes = 14"),
    "a variable the app reads": lambda p: {"TRAIN_GPU": "T4"},
    "another builder": lambda p: {"MODAL_IMAGE_BUILDER_VERSION": "2026.10"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_asks_again(project: Project, name: str) -> None:
    project.check()
    env = CHANGES[name](project) or {}
    again = project.check(**env)
    assert (again["status"], again["seen"]["remembered"], project.runs) == ("pass", False, 2)


def test_what_tools_leave_behind_asks_nothing(project: Project) -> None:
    project.check()
    cache = project.folder / "src/seizure/__pycache__"
    cache.mkdir(exist_ok=True)
    for file in (cache / "model.pyc", project.folder / ".coverage", project.folder / "preflight.json"):
        file.write_text("x", encoding="utf-8")
    again = project.check(TMUX_PANE="a variable of the terminal")
    assert (again["seen"]["remembered"], project.runs) == (True, 1)


def test_a_failure_is_never_remembered_as_a_pass_nor_as_a_failure(project: Project) -> None:
    (project.top / "broken").touch()
    failed, again = project.check(), project.check()
    (project.top / "broken").unlink()
    mended, last = project.check(), project.check()
    assert [r["status"] for r in (failed, again, mended, last)] == ["fail", "fail", "pass", "pass"]
    assert [r["seen"]["remembered"] for r in (failed, again, mended, last)] == [False, False, False, True]
    assert project.runs == 3


def test_a_failure_after_a_change_leaves_that_change_without_a_pass(project: Project) -> None:
    project.check()
    (project.folder / "VERSION").write_text("2\n", encoding="utf-8")
    (project.top / "broken").touch()
    assert project.check()["status"] == "fail"
    (project.top / "broken").unlink()
    again = project.check()
    assert (again["status"], again["seen"]["remembered"], project.runs) == ("pass", False, 3)


def test_a_pass_that_was_edited_is_no_pass(project: Project) -> None:
    project.check()
    row = json.loads(project.memory.read_text("utf-8"))
    (project.folder / "VERSION").write_text("2\n", encoding="utf-8")
    project.check()
    newest = json.loads(project.memory.read_text("utf-8"))
    row["body"]["fingerprint"] = newest["body"]["fingerprint"]
    project.memory.write_text(json.dumps(row), encoding="utf-8")
    again = project.check()
    assert (again["status"], again["seen"]["remembered"], project.runs) == ("pass", False, 3)


def test_a_pass_of_another_project_is_no_pass_here_though_every_file_is_the_same(project: Project) -> None:
    project.check()
    first = project.memory
    shutil.copytree(project.folder, project.top / "second", symlinks=True)
    project.folder = project.top / "second"
    project.check()
    (second,) = (f for f in (project.top / "state").rglob("PRJ002.json") if f != first)
    assert project.check()["seen"]["remembered"] is True
    shutil.copy(first, second)
    assert (project.check()["seen"]["remembered"], project.runs) == (False, 3)


def test_a_test_that_writes_into_the_project_is_not_remembered_and_says_what_to_do(project: Project) -> None:
    project.edit("pyproject.toml", COMMAND, "date +%N > result.txt; " + COMMAND)
    first = project.check()
    assert first["status"] == "pass" and "[tool.preflight] outputs" in first["reason"]
    assert project.check()["seen"]["remembered"] is False
    project.edit("pyproject.toml", "[tool.preflight]", '[tool.preflight]\noutputs = ["result.txt"]')
    project.check()
    assert project.check()["seen"]["remembered"] is True


def test_an_app_whose_text_leaves_a_path_open_is_not_remembered_and_says_which(project: Project) -> None:
    with (project.folder / APP).open("a", encoding="utf-8") as file:
        file.write("\nimport sys\nmore = image.add_local_dir(sys.argv[0], '/more')\n")
    first = project.check()
    assert first["status"] == "pass"
    assert "add_local_dir: its path is not in the text; name it in [tool.preflight] watch" in first["reason"]
    assert project.check()["seen"]["remembered"] is False
