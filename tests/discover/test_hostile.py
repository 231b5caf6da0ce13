"""What a top level may do to the recorder: nothing of it reaches out, stays behind, or is taken for an answer."""

from __future__ import annotations

import asyncio
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
from tests.conftest import Preflight
from tests.discover.conftest import HEAD, TAIL, Record

STOPS_S = 15.0  # for what must be gone to be gone, under load


def stopped(told: Recording | NotRecorded) -> NotRecorded:
    assert isinstance(told, NotRecorded), told
    return told


def is_gone(pid: int) -> bool:
    end = time.monotonic() + STOPS_S
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        time.sleep(0.05)
    return False


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


def test_a_top_level_that_never_ends_is_ended_at_the_limit(record: Record, project: Path) -> None:
    lines = f"import os\nopen({str(project / 'pid')!r}, 'w').write(str(os.getpid()))\nwhile True:\n    pass\n"
    began = time.monotonic()
    told = stopped(record(lines, limit_s=6.0))
    assert told.obstacle is Obstacle.TIME
    assert "6 s" in told.said
    assert time.monotonic() - began < 6 + STOPS_S
    assert is_gone(int((project / "pid").read_text()))


def test_a_child_in_another_session_does_not_outlive_the_recording(record: Record, project: Path) -> None:
    lines = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({str(project / "pid")!r}, "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
while not os.path.exists({str(project / "pid")!r}) or not open({str(project / "pid")!r}).read():
    time.sleep(0.01)
"""
    told = record(lines)
    assert isinstance(told, Recording)  # it deploys all the same
    if sys.platform.startswith("linux"):
        assert is_gone(int((project / "pid").read_text()))


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
def test_another_program_reaches_nobody_either(record: Record, listener: socket.socket, project: Path) -> None:
    port = listener.getsockname()[1]
    lines = f"""
import subprocess, sys
code = "import socket; socket.create_connection(('127.0.0.1', {port}), timeout=5)"
done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
open({str(project / "said")!r}, "w").write(f"{{done.returncode}} {{done.stderr}}")
"""
    told = record(lines)
    assert isinstance(told, Recording)
    assert told.closed_by == "kernel"
    said = (project / "said").read_text()
    assert said.startswith("1 ")
    assert "PermissionError" in said
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_no_credential_of_the_environment_is_seen(record: Record, project: Path) -> None:
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "aws-value-000",
        "AWS_PROFILE": "work",
        "MODAL_TOKEN_SECRET": "as-value-000",
        "WANDB_API_KEY": "wandb-value-000",
        "DATABASE_URL": "postgres://me:db-value-000@db.example/x",
        "HTTPS_PROXY": "http://proxy.example:3128",
    }
    lines = f"import json, os\nopen({str(project / 'seen')!r}, 'w').write(json.dumps(dict(os.environ)))\n"
    assert isinstance(record(lines, environ={**secrets, "BUCKET": "data"}), Recording)
    seen = json.loads((project / "seen").read_text())
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


def test_nothing_is_written_into_the_project_or_left_in_tmp(record: Record, project: Path, tmp_path: Path) -> None:
    (project / "helper.py").write_text("X = 1\n")
    lines = f"import helper, os, tempfile\nopen({str(tmp_path / 'folder')!r}, 'w').write(tempfile.mkdtemp())\n"
    assert isinstance(record(lines), Recording)
    assert sorted(p.name for p in project.iterdir()) == ["app.py", "helper.py"]
    assert not Path((tmp_path / "folder").read_text()).exists()


def test_cancelling_ends_the_app_and_what_it_started(project: Path) -> None:
    pid = project / "pid"
    (project / "app.py").write_text(
        HEAD + f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n" + TAIL
    )
    asked = Asked(words=("deploy", "app.py"), project=project, builder="2025.06", environment=None)

    async def cancelled() -> None:
        task = asyncio.create_task(record(asked, os.environ))
        async with asyncio.timeout(STOPS_S * 2):
            while not (pid.exists() and pid.read_text()):  # noqa: ASYNC110 - the file is another process's
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancelled())
    assert is_gone(int(pid.read_text()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_to_the_command_leaves_no_orphan(preflight: Preflight, project: Path, number: signal.Signals) -> None:
    pid = project / "pid"
    (project / "app.py").write_text(
        HEAD + f"import os, time\nsaid = str(os.getpid()) + ' ' + os.environ['TMPDIR'] + ' .'\n"
        f"open({str(pid)!r}, 'w').write(said)\ntime.sleep(600)\n" + TAIL
    )
    command = [sys.executable, "-m", "preflight", "list", "--discovered", "--record", "app.py"]
    with subprocess.Popen(
        command, cwd=project, env=preflight.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        end = time.monotonic() + STOPS_S * 2
        while not (pid.exists() and pid.read_text().endswith(".")) and time.monotonic() < end:
            time.sleep(0.05)
        run.send_signal(number)
        _, err = run.communicate(timeout=STOPS_S * 2)
    assert "Traceback" not in err
    assert run.returncode == (130 if number is signal.SIGINT else -number)
    number_of_it, folder, _ = pid.read_text().split()
    assert is_gone(int(number_of_it))
    end = time.monotonic() + STOPS_S
    while Path(folder).exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not Path(folder).exists()


def test_a_top_level_that_kills_the_recorder_is_an_obstacle_of_the_machinery(
    preflight: Preflight, project: Path
) -> None:
    (project / "app.py").write_text(
        HEAD + "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(600)\n" + TAIL
    )
    ran = preflight("check", "app-deploys", "app.py", "--record", "--json", cwd=project)
    assert ran.code == 3, ran.out + ran.err
    (result,) = json.loads(ran.out)["results"]
    assert result["status"] == "blocked"
    assert "without an answer" in result["reason"]
