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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from preflight.discover.recorder import Deploy, NotRecorded, Obstacle, record
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


# each is a try of its own; all of them stand in one top level, which deploys all the same
TRIES = """
import base64, json, os, pathlib, shutil, signal, subprocess, sys, tempfile
import helper
# to be taken for the answer, and to fill whatever keeps the output
print('{"code": 0, "recording": null}')
sys.stdout.write("x" * 5_000_000)
# to outlive the recording
here, there = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        os.write(there, b"up")
        time.sleep(600)
    os._exit(0)
assert os.read(here, 2) == b"up"
# to have another program talk to somebody
code = "import socket; socket.create_connection(('127.0.0.1', PORT), timeout=5)"
done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
# to change files
for path in ("PRECIOUS/file", "data.csv", os.path.expanduser("~/.profile-of-a-test"), "/etc/of-a-test"):
    try:
        pathlib.Path(path).write_text("hostile")
    except OSError:
        pass
shutil.rmtree("PRECIOUS", ignore_errors=True)
if IS_CONFINED:  # to kill whoever records
    os.kill(os.getppid(), signal.SIGKILL)
# what only asks
modal.Secret.from_name("s", environment_name="prod").hydrate()
modal.Volume.from_name("v").hydrate()
found = {"environ": dict(os.environ), "program": f"{done.returncode} {done.stderr}", "temporary": tempfile.mkdtemp()}
image = image.env({"FOUND": base64.b64encode(json.dumps(found).encode()).decode()})  # it leaves no file
secret = modal.Secret.from_dict({"KEY": "value-000"})

@app.function(image=image, secrets=[secret])
def f():
    pass
"""
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "aws-value-000",
    "AWS_PROFILE": "work",
    "MODAL_TOKEN_SECRET": "as-value-000",
    "WANDB_API_KEY": "wandb-value-000",
    "DATABASE_URL": "postgres://me:db-value-000@db.example/x",
    "HTTPS_PROXY": "http://proxy.example:3128",
}
IS_CONFINED = not confinement.why_not()


@dataclass(frozen=True)
class Tried:
    recording: Recording
    found: dict[str, Any]  # by the top level
    folder: Path
    mark: str
    was_heard: bool  # by a server that the top level would have liked to talk to


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    folder = tmp_path_factory.mktemp("hostile")
    project = folder / "project"
    for path in ("project/data.csv", "precious/file"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("as it was")
    (project / "helper.py").write_text("X = 1\n")
    mark = f"RECORDER_TEST_MARK_{os.getpid()}_{time.monotonic_ns()}"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        tries = TRIES.replace("PORT", str(server.getsockname()[1])).replace("PRECIOUS", str(folder / "precious"))
        (project / "app.py").write_text(HEAD + tries.replace("IS_CONFINED", str(IS_CONFINED)))
        deploy = Deploy(words=("deploy", "app.py"), project=project, builder="2025.06", environment=None)
        told = asyncio.run(record(deploy, {**os.environ, **SECRETS, "BUCKET": "data", mark: "1"}))
        was_heard = False
        with contextlib.suppress(BlockingIOError):
            server.accept()
            was_heard = True
    assert isinstance(told, Recording), told
    image = told.functions[0].image
    assert image is not None
    line = next(c for c in image.commands if c.startswith("ENV FOUND="))
    found = json.loads(base64.b64decode(line.removeprefix("ENV FOUND=").strip("'")))
    return Tried(told, found, folder, mark, was_heard)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that a hostile top level would like to talk to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def test_an_exception_of_the_top_level_is_told_with_the_users_own_line(record: Record) -> None:
    told = stopped(record("names = {}\nnames['gpu'].upper()\n"))
    assert told.obstacle is Obstacle.RAISED
    assert told.message == "KeyError: 'gpu'"
    assert str(told.where) == "app.py:6"
    assert told.line == "names['gpu'].upper()"


def test_an_error_of_the_client_names_the_line_that_asked_for_it(record: Record) -> None:
    told = stopped(record("modal.Secret.from_name('x', required=False)\n"))
    assert told.obstacle is Obstacle.RAISED
    assert "required" in told.message
    assert str(told.where) == "app.py:5"


@pytest.mark.parametrize("lines", ["import sys\nsys.exit(0)\n", "raise SystemExit(3)\n", "exit()\n"])
def test_an_exit_is_not_taken_for_a_deploy(record: Record, lines: str) -> None:
    told = stopped(record(lines))
    assert told.obstacle is Obstacle.EXITED
    assert told.where is not None


def test_an_exit_past_python_is_not_taken_for_a_deploy(record: Record) -> None:
    told = stopped(record("import os\nos._exit(0)\n"))
    assert told.obstacle is Obstacle.EXITED
    assert "exit code 0" in told.message


def test_a_crash_of_the_interpreter_is_told_by_its_signal(record: Record) -> None:
    told = stopped(record("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"))
    assert told.obstacle is Obstacle.EXITED
    assert "signal 11" in told.message


def test_a_top_level_that_never_ends_is_ended_at_the_limit(record: Record, mark: str) -> None:
    began = time.monotonic()
    told = stopped(record("while True:\n    pass\n", limit_s=6.0, environ={mark: "1"}))
    assert told.obstacle is Obstacle.TIME
    assert "6 s" in told.message
    assert time.monotonic() - began < 6 + STOPS_S
    assert are_gone(mark)


def test_a_connection_is_refused_and_named(record: Record, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    lines = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=5)\n"
    told = stopped(record(lines))
    assert told.obstacle is Obstacle.NETWORK
    assert "127.0.0.1" in told.message
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_name_is_not_looked_up(record: Record) -> None:
    told = stopped(record("import urllib.request\nurllib.request.urlopen('https://data.example/x')\n"))
    assert told.obstacle is Obstacle.NETWORK
    assert "data.example" in told.message


def test_a_missing_module_is_no_fault_of_the_app(record: Record) -> None:
    told = stopped(record("import not_a_module_of_anybody\n"))
    assert told.obstacle is Obstacle.MODULE
    assert not told.is_the_apps
    assert "not_a_module_of_anybody" in told.message


def test_a_variable_that_is_not_set_here_is_no_fault_of_the_app(record: Record) -> None:
    told = stopped(record("import os\nos.environ['NOT_SET_HERE']\n"))
    assert told.obstacle is Obstacle.VARIABLE
    assert told.message == "NOT_SET_HERE"
    assert not told.is_the_apps


def test_a_folder_that_is_not_there_is_told_as_the_client_tells_it(record: Record) -> None:
    told = stopped(record("image = image.add_local_dir('no-such-folder', '/root/data')\n"))
    assert told.obstacle is Obstacle.RAISED
    assert "FileNotFoundError" in told.message
    assert "no-such-folder" in told.message


def test_asking_for_what_only_a_workspace_has_is_no_fault_of_the_app(record: Record) -> None:
    told = stopped(record("modal.Function.from_name('another-app', 'f').hydrate()\n"))
    assert told.obstacle is Obstacle.SERVER
    assert not told.is_the_apps


STARTS_ANOTHER = (
    "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', 'ANOTHER'])\n"
)


def test_cancelling_ends_the_app_and_what_it_started(project: Path, mark: str) -> None:
    (project / "app.py").write_text(HEAD + STARTS_ANOTHER + TAIL)
    deploy = Deploy(words=("deploy", "app.py"), project=project, builder="2025.06", environment=None)

    async def cancelled() -> None:
        task = asyncio.create_task(record(deploy, {**os.environ, mark: "1"}))
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


def test_what_it_prints_is_not_taken_for_the_answer(tried: Tried) -> None:
    assert [f.name for f in tried.recording.functions] == ["f"]


def test_a_child_in_another_session_does_not_outlive_the_recording(tried: Tried) -> None:
    if sys.platform.startswith("linux"):
        assert are_gone(tried.mark)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's filter is Linux's")
def test_another_program_reaches_nobody_either(tried: Tried) -> None:
    assert tried.recording.closed_by == "kernel"
    assert tried.found["program"].startswith("1 ")
    assert "PermissionError" in tried.found["program"]
    assert not tried.was_heard


def test_no_credential_of_the_environment_is_seen(tried: Tried) -> None:
    seen = tried.found["environ"]
    assert not any("value-000" in v for v in seen.values())
    assert not {"AWS_PROFILE", "HTTPS_PROXY", "MODAL_PROFILE"} & seen.keys()
    assert not Path(seen["MODAL_CONFIG_PATH"]).exists()
    assert seen["BUCKET"] == "data"
    assert seen["WANDB_API_KEY"]  # code that only reads it goes on


def test_a_secrets_values_leave_the_child_as_keys_alone(tried: Tried) -> None:
    assert tried.recording.functions[0].secrets[0].keys == ("KEY",)
    assert "value-000" not in repr(tried.recording)


def test_nothing_is_written_into_the_project_or_left_in_tmp(tried: Tried) -> None:
    assert sorted(p.name for p in (tried.folder / "project").iterdir()) == ["app.py", "data.csv", "helper.py"]
    assert not Path(tried.found["temporary"]).exists()


@pytest.mark.skipif(not IS_CONFINED, reason="this machine can't confine")
def test_a_hostile_top_level_changes_no_file(tried: Tried) -> None:
    assert (tried.folder / "precious" / "file").read_text() == "as it was"
    assert (tried.folder / "project" / "data.csv").read_text() == "as it was"
    assert not Path.home().joinpath(".profile-of-a-test").exists()
    assert not Path("/etc/of-a-test").exists()
