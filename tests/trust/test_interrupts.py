"""Signals at any moment: exit 130, whole documents, and nothing left of what was started.

`pytest -m long tests/trust/test_interrupts.py` takes 300 moments, or TRUST_MOMENTS, and not ten; `-n 8` spreads them.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from preflight import process
from preflight.cli import main
from tests.conftest import HIDDEN, REPOSITORY
from tests.trust.table import Tally

APP = 'import modal\n\napp = modal.App("x")\n\n\n@app.function(gpu="A100", timeout=3600)\ndef train() -> None: ...\n'
STUBBORN = "trap '' INT TERM HUP; setsid sleep 3601 & sleep 3602"
WORDS = ("--stage", "static", "-o", "json=r.json", "-o", "junit=r.xml")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STARTED_S = 60.0
ENDED_S = 30.0
AT_ONCE = 4


def project_in(folder: Path, command: str = STUBBORN) -> Path:
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "pyproject.toml").write_text(f'[tool.preflight.lint]\ncommand = "{command}"\n', encoding="utf-8")
    return folder


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


def test_a_command_that_ignores_signals_and_leaves_its_session_ends_with_the_run(tmp_path: Path, tally: Tally) -> None:
    """On each of the three signals; all at once, since most of the time is the grace that a command gets."""
    runs = {}
    for number in SIGNALS:
        (tmp_path / number.name / "tmp").mkdir(parents=True)
        runs[number] = start(project_in(tmp_path / number.name))
    for number, running in runs.items():
        ends = time.monotonic() + STARTED_S
        while not any("sleep 3601" in line for line in processes_in(tmp_path / number.name)):
            assert time.monotonic() < ends
            time.sleep(0.05)
        running.send_signal(number)
    for number, running in runs.items():
        project = tmp_path / number.name
        settled(project, running)
        assert (project / "r.json").exists() and (project / "r.xml").exists(), number
        assert not list((project / "tmp").iterdir()), number
        tally.add()


# --- any command, any moment -----------------------------------------------------------------------------------------

FORMATS = ("json", "junit", "sarif", "github", "markdown", "gitlab", "console")
DOCUMENTS = tuple(word for form in FORMATS for word in ("-o", f"{form}=r.{form}"))
SLOW = f"import time\ntime.sleep(60)\n{APP}"
COMMANDS = {  # how it is started, and the seconds in which the signal comes
    "run": (("run", "app.py", "--stage", "remote", *DOCUMENTS), 4.0),
    "run of several": (("run", "--all", "--stage", "static", *DOCUMENTS), 3.0),
    "quality command": (("run", "app.py", "--stage", "static", *DOCUMENTS), 3.0),
    "gate": (("gate", "--stage", "static", *DOCUMENTS, "app.py", "--", "sleep", "60"), 4.0),
    "probe": (("probe", "app.py", "--gpu", "A100"), 4.0),
    "probe --local": (("probe", "--local"), 4.0),
    "--record": (("run", "slow.py", "--stage", "static", "--record", *DOCUMENTS), 5.0),
    "sandbox": (("sandbox",), 6.0),
    "run --sandbox": (("run", "--sandbox", "--stage", "remote", *DOCUMENTS), 8.0),
    "estimate": (("estimate", "app.py", "--hours", "2"), 4.0),
}
AFTER_EXEC = {"gate"}  # it has become its command, which has signals of its own
MARK = "TRUST_MOMENT"


@pytest.fixture(scope="module")
def mute() -> Iterator[int]:
    """A port on which nobody says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def moments(count: int, seed: int) -> list[tuple[str, float, signal.Signals]]:
    rng = random.Random(seed)
    names = list(COMMANDS)
    return [
        (name := names[n % len(names)], round(rng.uniform(0.0, COMMANDS[name][1]), 2), rng.choice(SIGNALS))
        for n in range(count)
    ]


def marked(mark: str) -> list[str]:
    """The processes that were started from the one with this mark, wherever they went."""
    found = []
    for folder in process.PROC.glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [line for line in found if line]


def at_moment(folder: Path, port: int, name: str, after_s: float, number: signal.Signals) -> None:
    (folder / "tmp").mkdir()
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "slow.py").write_text(SLOW, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        f'[tool.preflight.lint]\ncommand = "{STUBBORN if name == "quality command" else "true"}"\n', encoding="utf-8"
    )
    mark = f"{folder.name}-{name}-{after_s}-{number.name}-{os.getpid()}"
    environ = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN)} | {
        "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "TMPDIR": str(folder / "tmp"), MARK: mark,
        "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "MODAL_SERVER_URL": f"http://127.0.0.1:{port}",
        "MODAL_TOKEN_ID": "ak-1", "MODAL_TOKEN_SECRET": "as-1",
    }  # fmt: skip
    with (folder / "tmp.err").open("wb") as err:
        running = subprocess.Popen(
            [sys.executable, "-m", "preflight", *COMMANDS[name][0]],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
            preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in SIGNALS] and None,  # noqa: PLW1509
        )
    try:
        running.wait(after_s)
    except subprocess.TimeoutExpired:
        running.send_signal(number)
        code = running.wait(ENDED_S)
        said = (folder / "tmp.err").read_text("utf-8", "replace")
        # before our first line of Python the signal's own effect is all there can be
        early = code == -number and not said
        became = name in AFTER_EXEC and code == -number and (folder / "r.json").exists()
        stood = code == _kept_exit(folder)  # the verdict was there already, and what it says is written whole
        assert code == 130 or early or became or stood, (code, said[-2000:])
        assert "Traceback" not in said, said[-2000:]
        if code == 130 or stood:
            _documents(folder, name, said, code)
    ends = time.monotonic() + 10
    while (left := marked(mark)) and time.monotonic() < ends:
        time.sleep(0.1)
    assert not left
    assert not list((folder / "tmp").iterdir())
    assert not [p for p in folder.rglob("*") if p.name.endswith(".part") or p.name.startswith(".preflight-")]
    for ledger in folder.rglob("*.jsonl"):
        for line in ledger.read_text("utf-8").splitlines():
            json.loads(line)


def _kept_exit(folder: Path) -> int | None:
    """What the whole JSON report says, where there is one."""
    report = folder / "r.json"
    return json.loads(report.read_text("utf-8"))["exit"] if report.exists() else None


def _documents(folder: Path, name: str, said: str, code: int) -> None:
    """All that were asked for, or none where the command line had not been read yet."""
    wanted = {form for form in FORMATS if f"{form}=r.{form}" in COMMANDS[name][0]}
    written = {form for form in wanted if (folder / f"r.{form}").exists()}
    assert written == wanted or (not written and said.strip().endswith("interrupted")), (written, said[-500:])
    for form in written:
        text = (folder / f"r.{form}").read_text("utf-8")
        if form == "json":
            document = json.loads(text)
            assert document["exit"] == code
            assert (document["verdict"] == "interrupted") == (code == 130)
        elif form == "junit":
            ET.fromstring(text)
        elif form in ("sarif", "gitlab"):
            json.loads(text)
        else:
            assert ("interrupted" in text.lower()) == (code == 130)


def test_a_signal_at_each_of_ten_random_moments(tmp_path: Path, mute: int, tally: Tally) -> None:
    """A few at once: most of the time is waiting for the moment."""
    given = moments(10, seed=20261128)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = []
        for at, moment in enumerate(given):
            (tmp_path / str(at)).mkdir()
            waiting.append(pool.submit(at_moment, tmp_path / str(at), mute, *moment))
    for moment, ended in zip(given, waiting, strict=True):
        error = ended.exception()
        tally.add(error is not None)
        assert error is None, (moment, error)


@pytest.mark.long
@pytest.mark.parametrize(("name", "after_s", "number"), moments(int(os.environ.get("TRUST_MOMENTS", "300")), seed=1))
def test_a_signal_at_any_of_300_moments(
    tmp_path: Path, mute: int, name: str, after_s: float, number: signal.Signals
) -> None:
    at_moment(tmp_path, mute, name, after_s, number)


def test_a_command_that_ends_by_itself_is_not_kept_waiting_by_a_daemon_that_holds_its_pipe(tmp_path: Path) -> None:
    project = project_in(tmp_path, "setsid sleep 20 & exit 0")
    (project / "tmp").mkdir()
    running = start(project)
    assert running.wait(ENDED_S * 2) == 0
    rows = json.loads((project / "r.json").read_text("utf-8"))["results"]
    lint = next(r for r in rows if r["name"] == "project-lint")
    assert (lint["status"], lint["seconds"] < 10) == ("pass", True)


def test_an_interrupt_that_became_another_error_on_its_way_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise TypeError("couldn't build proto file") from None
    except TypeError as e:
        assert main._is_interrupt(e)
    assert not main._is_interrupt(TypeError("a bug"))
    assert capsys.readouterr().err == "interrupted\n"
