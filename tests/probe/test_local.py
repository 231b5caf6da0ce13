"""The local launch: bounded, interruptible, and it leaves no process behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from preflight.probe.local import LocalProbeFailed, probe_here
from preflight.probe.request import Request

PROC = Path("/proc")
MARK = "PREFLIGHT_PROBE_TEST_MARK"


def environ(world, mark=""):
    from preflight.probe import simulated

    paths = (world.over, *simulated.pythonpath())
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), MARK: mark}


def marked(mark):
    """The processes of this machine that were started with the mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if wanted in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


def until(condition, limit_s):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_it_gives_the_reading_and_says_how_far_it_is(world):
    said = []
    document = probe_here(sys.executable, Request().as_json(), say=said.append, environ=environ(world))
    assert isinstance(document, dict)
    assert document["simulated"] is True
    assert any(line.startswith("Mamba2 bfloat16: ok") for line in said)


def test_an_interpreter_that_is_not_there_is_said(world):
    with pytest.raises(LocalProbeFailed, match="/nowhere/python can't be started: No such file"):
        probe_here("/nowhere/python", Request().as_json(), say=print, environ=environ(world))


def test_an_interpreter_that_is_no_python_is_said_with_its_own_words(world):
    with pytest.raises(LocalProbeFailed, match=r"ended with 1 and no reading: .*unrecognized option"):
        probe_here("/bin/cat", Request().as_json(), say=lambda text: None, environ={**environ(world), "LC_ALL": "C"})


@pytest.mark.skipif(not PROC.is_dir(), reason="finds processes in /proc")
def test_an_interrupt_ends_every_child_however_deep_it_hangs(world):
    world.lay("selective_scan_cuda.py", "import time\ntime.sleep(60)\n")
    mark = f"interrupt-{os.getpid()}"

    class Stop(KeyboardInterrupt):
        pass

    def say(text):
        if text.startswith("selective_scan_cuda"):
            raise Stop

    with pytest.raises(Stop):
        probe_here(sys.executable, Request().as_json(), say=say, environ=environ(world, mark))
    assert until(lambda: not marked(mark), 3), marked(mark)


@pytest.mark.skipif(not PROC.is_dir(), reason="finds processes in /proc")
def test_children_end_by_themselves_when_the_payload_is_killed_outright(world):
    world.lay("selective_scan_cuda.py", "import time\ntime.sleep(60)\n")
    mark = f"killed-{os.getpid()}"
    from preflight.probe.local import PAYLOAD

    asked = world.room / "request.json"
    asked.write_text(json.dumps(Request().as_json()))
    process = subprocess.Popen(
        [sys.executable, str(PAYLOAD), "--request", str(asked)],
        env=environ(world, mark),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert until(lambda: len(marked(mark)) > 2, 10)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert until(lambda: not marked(mark), 5), marked(mark)


def test_the_limit_holds_for_the_whole(world):
    world.lay("selective_scan_cuda.py", "import time\ntime.sleep(60)\n")
    began = time.monotonic()
    request = {**Request(limit_s=1.5).as_json()}
    document = probe_here(sys.executable, request, say=lambda text: None, environ=environ(world))
    assert time.monotonic() - began < 8
    assert isinstance(document, dict)
    assert document["loads"]["selective_scan_cuda"]["outcome"] == "time-out"


def test_a_payload_that_never_ends_is_ended(world, tmp_path):
    stuck = tmp_path / "stuck"
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o755)
    request = {**Request().as_json(), "limit_s": -2.5}  # the launch adds its 3 s of grace
    began = threading.Event()
    with pytest.raises(LocalProbeFailed, match="gave no reading within"):
        probe_here(str(stuck), request, say=lambda text: began.set(), environ=environ(world))
    assert not began.is_set()


@pytest.mark.skipif(not PROC.is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_is_left_however_the_command_is_ended(world, number):
    world.lay("selective_scan_cuda.py", "import time\ntime.sleep(60)\n")
    mark = f"ended-{number}-{os.getpid()}"
    code = "import os, sys; from preflight.probe.local import probe_here; from preflight.probe.request import Request\n"
    code += "probe_here(sys.executable, Request().as_json(), say=lambda text: None, environ=dict(os.environ))"
    given = environ(world, mark)
    given["PYTHONPATH"] = os.pathsep.join((str(Path(__file__).parents[2]), given["PYTHONPATH"], *sys.path))
    command = subprocess.Popen([sys.executable, "-c", code], env=given, stderr=subprocess.DEVNULL)
    assert until(lambda: len(marked(mark)) > 3, 20)
    command.send_signal(number)
    command.wait(10)
    assert until(lambda: not marked(mark), 5), marked(mark)
