"""The process behind ``recorder.record``: it serves our plane on a unix socket and runs `modal deploy` against it.

An ``Order`` is a JSON line on its standard input; ``Started`` and at the end ``Answer`` are lines on its output.  When
its input closes, the parent is gone or wants no answer: then it ends the deploy, and whatever the user's top level has
left behind, and goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import io
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from preflight.discover.recording import Answer, Deploy, Order, Report, Started, line, read
from preflight.process import signal_group, when_input_ends
from preflight.sandbox import confine, confinement, state
from preflight.sandbox.control_plane.plane import Plane
from preflight.sandbox.control_plane.recorded import recorded
from preflight.sandbox.control_plane.service import client_server

CLOSED = Path(__file__).with_name("closed.py")
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h: what a daemon of the user's is handed to, instead of to init
TAIL_BYTES = 20_000
CHUNK_BYTES = 1 << 18  # more than a pipe holds
REPORT_BYTES = 1_000_000
STRAYS_S = 2.0


async def main() -> None:
    order = read(await asyncio.to_thread(sys.stdin.buffer.readline), Order)
    deploy, folder = order.deploy, order.folder
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    workspace = state.Workspace(image_builder_version=deploy.builder)
    scenario = state.Scenario(
        title="a recorder", wrong="", permissive=True, workspace=workspace, storage=state.Storage()
    )
    plane = Plane(scenario, folder, folder)
    server = client_server(plane)
    await server.start(path=str(folder / "plane"))
    environ = {
        **order.environ,
        "MODAL_SERVER_URL": f"unix://{folder / 'plane'}",
        "MODAL_TOKEN_ID": scenario.token.id,
        "MODAL_TOKEN_SECRET": scenario.token.secret,
    }
    python = deploy.python or sys.executable
    plan = None if await asyncio.to_thread(confinement.why_not) else _plan(folder, deploy.project, python)
    running = asyncio.create_task(_deploy(deploy, python, environ, plan, plane))
    when_input_ends(running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        _tell(await running)
    await plane.stop()
    server.close()
    confine.clear(folder)  # the parent does it too, unless it was killed


def _tell(part: Started | Answer) -> None:
    sys.stdout.buffer.write(line(part))
    sys.stdout.buffer.flush()


def _plan(folder: Path, project: Path, python: str) -> Path:
    """What the deploy writes goes with it; of /tmp it sees the project, its temporary files and the plane's socket."""
    path = folder / "plan.json"
    binds = [(str(folder), str(folder), True)]
    plan = confinement.of_client(folder=folder / "written", project=project, python=python, binds=binds, forwards={})
    path.write_text(json.dumps(plan), encoding="utf-8")
    return path


async def _deploy(deploy: Deploy, python: str, environ: Mapping[str, str], plan: Path | None, plane: Plane) -> Answer:
    """Run it to its end or its limit.  Nothing that it started is left when this returns or is cancelled."""
    began = time.monotonic()
    with _pipe() as (report, report_to), _pipe() as (output, output_to):
        # pipes of our own: asyncio's wait() goes on for as long as somebody holds the other end of its own
        command = [python, "-P", str(CLOSED), str(report_to.fileno()), *deploy.words]
        process = await asyncio.create_subprocess_exec(
            *(confinement.launched(plan, command) if plan else command),
            cwd=deploy.project,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output_to,
            stderr=output_to,
            pass_fds=(report_to.fileno(),),
            start_new_session=True,
        )
        report_to.close()
        output_to.close()
        _tell(Started(process.pid))
        tail = bytearray()
        loop = asyncio.get_running_loop()
        loop.add_reader(output, _keep_tail, output, tail)
        code: int | None = None
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deploy.limit_s):
                    code = await process.wait()
        finally:
            signal_group(process.pid, signal.SIGKILL)
            await process.wait()
            _kill_strays()
            loop.remove_reader(output)
        _keep_tail(output, tail)
        ending = _report(report.read(REPORT_BYTES) or b"")
    seconds = time.monotonic() - began
    return Answer(
        code=code,
        seconds=seconds,
        output=tail.decode("utf-8", "replace"),
        report=ending,
        last_request=plane.requests[-1] if plane.requests else "",
        recording=recorded(plane, seconds=seconds, closed_by=ending.closed_by),
    )


def _report(text: bytes) -> Report:
    try:
        return read(text, Report)
    except (ValueError, RecursionError):  # the user's code could have written it
        return Report()


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[io.FileIO, io.FileIO]]:
    """The end to read from, which never waits, and the one to write to."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    with io.FileIO(read_end, "r") as reader, io.FileIO(write_end, "w") as writer:
        yield reader, writer


def _keep_tail(output: io.FileIO, tail: bytearray) -> None:
    """Take what is there; of more than TAIL_BYTES, the end."""
    tail += output.read(CHUNK_BYTES) or b""
    del tail[:-TAIL_BYTES]


def _kill_strays() -> None:
    """End what left the deploy's process group: on Linux it is ours by now, elsewhere it can't be found."""
    end = time.monotonic() + STRAYS_S
    while time.monotonic() < end and (strays := _children()):
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    """Process ids of our own children, dead ones too."""
    found: list[int] = []
    for task in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text("ascii").split())
    return found


if __name__ == "__main__":
    asyncio.run(main())
