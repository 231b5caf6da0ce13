"""Signals at any moment: exit 130, whole documents, and nothing left of what was started.

`pytest -m long tests/trust` takes 300 moments instead of nine.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from preflight import process
from tests.conftest import HIDDEN, REPOSITORY

APP = 'import modal\n\napp = modal.App("x")\n\n\n@app.function(gpu="A100", timeout=3600)\ndef train() -> None: ...\n'
STUBBORN = "trap '' INT TERM HUP; setsid sleep 3601 & sleep 3602"
WORDS = ("--stage", "static", "-o", "json=r.json", "-o", "junit=r.xml")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STARTED_S = 60.0
ENDED_S = 30.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(f'[tool.preflight.lint]\ncommand = "{STUBBORN}"\n', encoding="utf-8")
    return tmp_path


def start(project: Path) -> subprocess.Popen[bytes]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN)}
    return subprocess.Popen(
        [sys.executable, "-m", "preflight", "run", "app.py", *WORDS],
        cwd=project,
        env={**clean, "HOME": str(project), "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(project / "tmp")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in SIGNALS] and None,  # noqa: PLW1509 - no threads
    )


def processes_in(project: Path) -> list[str]:
    """What still runs with the project as its working folder."""
    found = []
    for folder in process.PROC.glob("[0-9]*"):
        try:
            if (folder / "cwd").readlink() == project:
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def settled(project: Path, running: subprocess.Popen[bytes]) -> None:
    """Ended in time, with the documents whole or not there, and with nothing beside them."""
    code = running.wait(ENDED_S)
    # before our first line of Python the signal's own effect is all there can be
    assert code == 130 or code < 0, code
    ends = time.monotonic() + 5
    while (left := processes_in(project)) and time.monotonic() < ends:
        time.sleep(0.1)
    assert not left
    if (project / "r.json").exists():
        document = json.loads((project / "r.json").read_text("utf-8"))
        assert (document["verdict"], document["exit"]) == ("interrupted", 130)
    known = {"app.py", "pyproject.toml", "r.json", "r.xml", "tmp", ".local", ".cache"}
    assert not {p.name for p in project.iterdir()} - known


@pytest.mark.parametrize("number", SIGNALS)
def test_a_command_that_ignores_signals_and_leaves_its_session_ends_with_the_run(
    project: Path, number: signal.Signals
) -> None:
    (project / "tmp").mkdir()
    running = start(project)
    ends = time.monotonic() + STARTED_S
    while not any("sleep 3601" in line for line in processes_in(project)):
        assert time.monotonic() < ends
        time.sleep(0.05)
    running.send_signal(number)
    settled(project, running)
    assert (project / "r.json").exists() and (project / "r.xml").exists()
    assert not list((project / "tmp").iterdir())


def moments(count: int, seed: int) -> list[tuple[float, signal.Signals]]:
    rng = random.Random(seed)
    return [(rng.uniform(0.0, 3.0), rng.choice(SIGNALS)) for _ in range(count)]


def at_moment(project: Path, after_s: float, number: signal.Signals) -> None:
    (project / "tmp").mkdir(exist_ok=True)
    running = start(project)
    time.sleep(after_s)
    running.send_signal(number)
    settled(project, running)


@pytest.mark.parametrize(("after_s", "number"), moments(6, seed=20261128))
def test_a_signal_at_a_random_moment(project: Path, after_s: float, number: signal.Signals) -> None:
    at_moment(project, after_s, number)


@pytest.mark.long
@pytest.mark.parametrize(("after_s", "number"), moments(300, seed=1))
def test_a_signal_at_any_of_300_moments(project: Path, after_s: float, number: signal.Signals) -> None:
    at_moment(project, after_s, number)


def test_a_command_that_ends_by_itself_is_not_kept_waiting_by_a_daemon_that_holds_its_pipe(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.preflight.lint]\ncommand = "setsid sleep 20 & exit 0"\n', encoding="utf-8"
    )
    (project / "tmp").mkdir()
    running = start(project)
    assert running.wait(ENDED_S * 2) == 0
    rows = json.loads((project / "r.json").read_text("utf-8"))["results"]
    lint = next(r for r in rows if r["name"] == "project-lint")
    assert (lint["status"], lint["seconds"] < 10) == ("pass", True)
