"""What a top level may do to the recorder: nothing of it reaches out, stays behind, or is taken for an answer."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from preflight.discover.recorder import Asked, NotRecorded, Obstacle, record
from preflight.discover.recording import Recording
from preflight.sandbox import confinement
from tests.conftest import Preflight
from tests.discover.conftest import HEAD, TAIL, Record

STOPS_S = 15.0  # for what must be gone to be gone, under load


def stopped(told: Recording | NotRecorded) -> NotRecorded:
    assert isinstance(told, NotRecorded), told
    return told


def marked(mark: str, word: str = "") -> list[Path]:
    """The living processes that carry the mark in their environment, and the word in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_ours = f"{mark}=1".encode() in (process / "environ").read_bytes()
            if is_ours and word.encode() in (process / "cmdline").read_bytes():
                found.append(process)
    return found


def are_gone(mark: str) -> bool:
    end = time.monotonic() + STOPS_S
    while marked(mark) and time.monotonic() < end:
        time.sleep(0.05)
    return not marked(mark)


@pytest.fixture
def mark() -> str:
    return f"RECORDER_TEST_MARK_{os.getpid()}_{time.monotonic_ns()}"


TOLD = "\nimport base64\nimage = image.env({'TOLD': base64.b64encode(told.encode()).decode()})\n"


def what_it_told(told: Recording | NotRecorded) -> str:
    """What the top level found out: it leaves no file, so it puts it in its image."""
    assert isinstance(told, Recording)
    image = told.functions[0].image
    assert image is not None
    line = next(c for c in image.commands if c.startswith("ENV TOLD="))
    return base64.b64decode(line.removeprefix("ENV TOLD=").strip("'")).decode()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that a hostile top level would like to talk to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def test_an_exception_of_the_top_level_is_told_with_the_users_own_line(record: Record) -> None:
    told = stopped(record("names = {}\nnames['gpu'].upper()\n"))
    assert told.obstacle is Obstacle.RAISED
    assert told.said == "KeyError: 'gpu'"
    assert str(told.where) == "app.py:6"
    assert told.line == "names['gpu'].upper()"


def test_an_error_of_the_client_names_the_line_that_asked_for_it(record: Record) -> None:
    told = stopped(record("modal.Secret.from_name('x', required=False)\n"))
    assert told.obstacle is Obstacle.RAISED
    assert "required" in told.said
    assert str(told.where) == "app.py:5"


@pytest.mark.parametrize("lines", ["import sys\nsys.exit(0)\n", "raise SystemExit(3)\n", "exit()\n"])
def test_an_exit_is_not_taken_for_a_deploy(record: Record, lines: str) -> None:
    told = stopped(record(lines))
    assert told.obstacle is Obstacle.EXITED
    assert told.where is not None


def test_an_exit_past_python_is_not_taken_for_a_deploy(record: Record) -> None:
    told = stopped(record("import os\nos._exit(0)\n"))
    assert told.obstacle is Obstacle.EXITED
    assert "exit code 0" in told.said


def test_a_crash_of_the_interpreter_is_told_by_its_signal(record: Record) -> None:
    told = stopped(record("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"))
    assert told.obstacle is Obstacle.EXITED
    assert "signal 11" in told.said


def test_a_top_level_that_never_ends_is_ended_at_the_limit(record: Record, mark: str) -> None:
    began = time.monotonic()
    told = stopped(record("while True:\n    pass\n", limit_s=6.0, environ={mark: "1"}))
    assert told.obstacle is Obstacle.TIME
    assert "6 s" in told.said
    assert time.monotonic() - began < 6 + STOPS_S
    assert are_gone(mark)


def test_a_child_in_another_session_does_not_outlive_the_recording(record: Record, mark: str) -> None:
    lines = """
import os, time
here, there = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(there, b"up")
        time.sleep(600)
    os._exit(0)
assert os.read(here, 2) == b"up"
"""
    told = record(lines, environ={mark: "1"})
    assert isinstance(told, Recording)  # it deploys all the same
    if sys.platform.startswith("linux"):
        assert are_gone(mark)


def test_what_it_prints_is_neither_taken_for_the_answer_nor_kept_whole(record: Record) -> None:
    lines = "import sys\nprint('{\"code\": 0, \"rows\": []}')\nsys.stdout.write('x' * 5_000_000)\n"
    told = record(lines)
    assert isinstance(told, Recording)
    assert [f.name for f in told.functions] == ["f"]


def test_a_connection_is_refused_and_named(record: Record, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    lines = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=5)\n"
    told = stopped(record(lines))
    assert told.obstacle is Obstacle.NETWORK
    assert "127.0.0.1" in told.said
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_name_is_not_looked_up(record: Record) -> None:
    told = stopped(record("import urllib.request\nurllib.request.urlopen('https://data.example/x')\n"))
    assert told.obstacle is Obstacle.NETWORK
    assert "data.example" in told.said


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's filter is Linux's")
def test_another_program_reaches_nobody_either(record: Record, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    lines = f"""
import subprocess, sys
code = "import socket; socket.create_connection(('127.0.0.1', {port}), timeout=5)"
done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
told = f"{{done.returncode}} {{done.stderr}}"
"""
    told = record(lines + TOLD)
    said = what_it_told(told)
    assert isinstance(told, Recording) and told.closed_by == "kernel"
    assert said.startswith("1 ")
    assert "PermissionError" in said
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_no_credential_of_the_environment_is_seen(record: Record) -> None:
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "aws-value-000",
        "AWS_PROFILE": "work",
        "MODAL_TOKEN_SECRET": "as-value-000",
        "WANDB_API_KEY": "wandb-value-000",
        "DATABASE_URL": "postgres://me:db-value-000@db.example/x",
        "HTTPS_PROXY": "http://proxy.example:3128",
    }
    lines = "import json, os\ntold = json.dumps(dict(os.environ))\n"
    seen = json.loads(what_it_told(record(lines + TOLD, environ={**secrets, "BUCKET": "data"})))
    assert not any("value-000" in v for v in seen.values())
    assert not {"AWS_PROFILE", "HTTPS_PROXY", "MODAL_PROFILE"} & seen.keys()
    assert not Path(seen["MODAL_CONFIG_PATH"]).exists()
    assert seen["BUCKET"] == "data"
    assert seen["WANDB_API_KEY"]  # code that only reads it goes on


def test_a_secrets_values_leave_the_child_as_keys_alone(record: Record, tmp_path: Path) -> None:
    told = record(
        whole=HEAD
        + "\n@app.function(image=image, secrets=[modal.Secret.from_dict({'KEY': 'value-000'})])\ndef f():\n    pass\n"
    )
    assert isinstance(told, Recording)
    assert told.functions[0].secrets[0].keys == ("KEY",)
    assert "value-000" not in repr(told)


def test_a_missing_module_is_no_fault_of_the_app(record: Record) -> None:
    told = stopped(record("import not_a_module_of_anybody\n"))
    assert told.obstacle is Obstacle.MODULE
    assert not told.is_the_apps
    assert "not_a_module_of_anybody" in told.said


def test_a_variable_that_is_not_set_here_is_no_fault_of_the_app(record: Record) -> None:
    told = stopped(record("import os\nos.environ['NOT_SET_HERE']\n"))
    assert told.obstacle is Obstacle.VARIABLE
    assert told.said == "NOT_SET_HERE"
    assert not told.is_the_apps


def test_a_folder_that_is_not_there_is_told_as_the_client_tells_it(record: Record) -> None:
    told = stopped(record("image = image.add_local_dir('no-such-folder', '/root/data')\n"))
    assert told.obstacle is Obstacle.RAISED
    assert "FileNotFoundError" in told.said
    assert "no-such-folder" in told.said


def test_hydrating_a_secret_and_a_volume_at_the_top_level_is_answered(record: Record) -> None:
    lines = "modal.Secret.from_name('s', environment_name='prod').hydrate()\nmodal.Volume.from_name('v').hydrate()\n"
    assert isinstance(record(lines), Recording)


def test_asking_for_what_only_a_workspace_has_is_no_fault_of_the_app(record: Record) -> None:
    told = stopped(record("modal.Function.from_name('another-app', 'f').hydrate()\n"))
    assert told.obstacle is Obstacle.SERVER
    assert not told.is_the_apps


def test_nothing_is_written_into_the_project_or_left_in_tmp(record: Record, project: Path) -> None:
    (project / "helper.py").write_text("X = 1\n")
    told = what_it_told(record("import helper, tempfile\ntold = tempfile.mkdtemp()\n" + TOLD))
    assert sorted(p.name for p in project.iterdir()) == ["app.py", "helper.py"]
    assert not Path(told).exists()


@pytest.mark.skipif(bool(confinement.why_not()), reason="this machine can't confine")
def test_a_hostile_top_level_changes_no_file(record: Record, project: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("as it was")
    (project / "data.csv").write_text("as it was")
    lines = f"""
import os, pathlib, shutil
for path in ({str(precious)!r}, "data.csv", os.path.expanduser("~/.profile-of-a-test"), "/etc/of-a-test"):
    try:
        pathlib.Path(path).write_text("hostile")
    except OSError:
        pass
shutil.rmtree({str(tmp_path)!r}, ignore_errors=True)
"""
    record(lines)
    assert precious.read_text() == "as it was"
    assert (project / "data.csv").read_text() == "as it was"
    assert not Path.home().joinpath(".profile-of-a-test").exists()
    assert not Path("/etc/of-a-test").exists()


STARTS_ANOTHER = (
    "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', 'ANOTHER'])\n"
)


def test_cancelling_ends_the_app_and_what_it_started(project: Path, mark: str) -> None:
    (project / "app.py").write_text(HEAD + STARTS_ANOTHER + TAIL)
    asked = Asked(words=("deploy", "app.py"), project=project, builder="2025.06", environment=None)

    async def cancelled() -> None:
        task = asyncio.create_task(record(asked, {**os.environ, mark: "1"}))
        async with asyncio.timeout(STOPS_S * 2):
            while not marked(mark, "ANOTHER"):  # noqa: ASYNC110 - another process starts it
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())
    assert are_gone(mark)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_to_the_command_leaves_no_orphan(
    preflight: Preflight, project: Path, number: signal.Signals, mark: str
) -> None:
    (project / "app.py").write_text(HEAD + STARTS_ANOTHER + TAIL)
    command = [sys.executable, "-m", "preflight", "list", "--discovered", "--record", "app.py"]
    with subprocess.Popen(
        command,
        cwd=project,
        env=preflight.environ(**{mark: "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        end = time.monotonic() + STOPS_S * 2
        while not marked(mark, "ANOTHER") and time.monotonic() < end:
            time.sleep(0.05)
        environ = (marked(mark, "ANOTHER")[0] / "environ").read_bytes().split(b"\0")
        folder = next(e.decode().removeprefix("TMPDIR=") for e in environ if e.startswith(b"TMPDIR="))
        run.send_signal(number)
        _, err = run.communicate(timeout=STOPS_S * 2)
    assert "Traceback" not in err
    assert run.returncode == (130 if number is signal.SIGINT else -number)
    assert are_gone(mark)
    end = time.monotonic() + STOPS_S
    while Path(folder).exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(folder).exists()


@pytest.mark.skipif(bool(confinement.why_not()), reason="this machine can't confine")
def test_a_top_level_can_not_reach_the_recorder_to_kill_it(record: Record) -> None:
    told = record("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n")
    assert isinstance(told, Recording)
