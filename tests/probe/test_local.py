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
from tests.probe.conftest import pythonpath

PROC = Path("/proc")
MARK = "PREFLIGHT_PROBE_TEST_MARK"


SMALL = Request(blocks=("Mamba",), dtypes=("float32",))


def environ(world, mark=""):
    paths = (world.over, *pythonpath())
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
    document = probe_here(sys.executable, SMALL.as_json(), say=said.append, environ=environ(world))
    assert isinstance(document, dict)
    assert document["simulated"] is True
    assert any(line.startswith("Mamba float32: ok") for line in said)


def test_an_interpreter_that_is_not_there_is_said(world):
    with pytest.raises(LocalProbeFailed, match=r"ended with exit code 127: .*: /nowhere/python: not found"):
        probe_here("/nowhere/python", SMALL.as_json(), say=print, environ=environ(world))


def test_a_folder_that_is_not_there_is_said(world):
    with pytest.raises(LocalProbeFailed, match="can't be started in /nowhere: No such file"):
        probe_here(sys.executable, SMALL.as_json(), say=print, environ=environ(world), folder=Path("/nowhere"))


def test_an_interpreter_that_is_no_python_is_said_with_its_own_words(world):
    with pytest.raises(LocalProbeFailed, match=r"ended with exit code 1 and gave no reading: .*unrecognized option"):
        probe_here("/bin/cat", SMALL.as_json(), say=lambda text: None, environ={**environ(world), "LC_ALL": "C"})


@pytest.mark.parametrize("text", ["", '{"schema": "preflight.probe-rea', "[" * 100_000, "\\ud8"])
def test_a_reading_that_was_cut_off_is_said(world, text):
    broken = world.lay("broken", f"#!/bin/sh\ncat > \"$5\" <<'EOF'\n{text}\nEOF\n")
    broken.chmod(0o755)
    with pytest.raises(LocalProbeFailed, match="left a reading that is not JSON"):
        probe_here(str(broken), SMALL.as_json(), say=lambda text: None, environ=environ(world))


@pytest.mark.skipif(not PROC.is_dir(), reason="finds processes in /proc")
def test_an_interrupt_ends_every_child_however_deep_it_hangs(world):
    world.lay("selective_scan_cuda.py", "import time\ntime.sleep(60)\n")
    mark = f"interrupt-{os.getpid()}"

    def say(text):
        if text.startswith("selective_scan_cuda"):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        probe_here(sys.executable, SMALL.as_json(), say=say, environ=environ(world, mark))
    assert until(lambda: not marked(mark), 3), marked(mark)


@pytest.mark.skipif(not PROC.is_dir(), reason="finds processes in /proc")
def test_children_end_by_themselves_when_the_payload_is_killed_outright(world):
    world.lay("selective_scan_cuda.py", "import time\ntime.sleep(60)\n")
    mark = f"killed-{os.getpid()}"
    from preflight.probe.local import PAYLOAD

    asked = world.room / "request.json"
    asked.write_text(json.dumps(SMALL.as_json()))
    process = subprocess.Popen(
        [sys.executable, str(PAYLOAD), "--request", str(asked)],
        env=environ(world, mark),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert until(lambda: len(marked(mark)) > 2, 10)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert until(lambda: not marked(mark), 5), marked(mark)


def test_the_limit_holds_for_the_whole(world):
    world.lay("selective_scan_cuda.py", "import time\ntime.sleep(60)\n")
    began = time.monotonic()
    request = {**SMALL.as_json(), "limit_s": 1.5}
    document = probe_here(sys.executable, request, say=lambda text: None, environ=environ(world))
    assert time.monotonic() - began < 8
    assert isinstance(document, dict)
    assert document["loads"]["selective_scan_cuda"]["outcome"] == "time-out"


def test_a_payload_that_never_ends_is_ended(world, tmp_path):
    stuck = tmp_path / "stuck"
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o755)
    request = {**SMALL.as_json(), "limit_s": -2.5}  # the launch adds its 3 s of grace
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
    code += "from preflight.interrupts import OURS; OURS.raise_all()\n"  # as the command line does
    code += "probe_here(sys.executable, Request().as_json(), say=lambda text: None, environ=dict(os.environ))"
    given = environ(world, mark)
    given["PYTHONPATH"] = os.pathsep.join((str(Path(__file__).parents[2]), given["PYTHONPATH"], *sys.path))
    command = subprocess.Popen([sys.executable, "-c", code], env=given, stderr=subprocess.DEVNULL)
    assert until(lambda: len(marked(mark)) > 3, 20)
    command.send_signal(number)
    command.wait(10)
    assert until(lambda: not marked(mark), 5), marked(mark)
