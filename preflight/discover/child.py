"""The process behind ``recorder.record``: it serves our plane on a unix socket and runs `modal deploy` against it.

Asked with one JSON line on standard input, it answers with JSON lines on standard output: first the process id of the
deploy, at the end what came of it.  When its standard input closes, the parent is gone or wants no answer: then it
ends the deploy, and whatever the user's top level has left behind, and goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import io
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from preflight.sandbox import state
from preflight.sandbox.control_plane.plane import Folders, Plane
from preflight.sandbox.control_plane.service import client_server

CLOSED = Path(__file__).with_name("closed.py")
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h: what a daemon of the user's is handed to, instead of to init
TAIL_BYTES = 20_000
REPORT_BYTES = 1_000_000
STRAYS_S = 2.0
SECRET_VALUES = "env_dict"  # of SecretGetOrCreate: the keys leave this process, the values don't


async def main() -> None:
    asked = json.loads(await asyncio.to_thread(sys.stdin.readline))
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    folder = Path(asked["folder"])
    scenario = replace(state.load(state.RECORDER), workspace=state.Workspace(image_builder_version=asked["builder"]))
    rows = io.StringIO()
    plane = Plane(scenario, Folders(folder, folder), record=rows)
    server = client_server(plane)
    await server.start(path=str(folder / "plane"))
    environ = asked["environ"] | {
        "MODAL_SERVER_URL": f"unix://{folder / 'plane'}",
        "MODAL_TOKEN_ID": scenario.token.id,
        "MODAL_TOKEN_SECRET": scenario.token.secret,
    }
    ended = asyncio.create_task(_deploy(asked["words"], Path(asked["cwd"]), environ, asked["limit_s"]))
    gone = asyncio.create_task(_parent_gone())
    await asyncio.wait({ended, gone}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)
    else:
        _tell({**ended.result(), "rows": [json.loads(line) for line in _without_values(rows)]})
    await plane.stop()
    server.close()
    shutil.rmtree(folder, ignore_errors=True)  # the parent does it too, unless it was killed


def _tell(row: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def _without_values(rows: io.StringIO) -> Iterator[str]:
    for line in rows.getvalue().splitlines():
        if SECRET_VALUES not in line:
            yield line
            continue
        row = json.loads(line)
        held = row["request"].get(SECRET_VALUES, {})
        row["request"][SECRET_VALUES] = dict.fromkeys(held, "")
        yield json.dumps(row)


async def _parent_gone() -> None:
    """Ends when standard input does."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    stdin = sys.stdin.fileno()

    def read() -> None:
        if not os.read(stdin, 4096):
            loop.remove_reader(stdin)
            over.set()

    loop.add_reader(stdin, read)
    await over.wait()


async def _deploy(words: list[str], cwd: Path, environ: dict[str, str], limit_s: float) -> dict[str, Any]:
    """Run it to its end or its limit.  Nothing that it started is left when this returns or is cancelled."""
    began = time.monotonic()
    read_end, write_end = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        str(CLOSED),
        str(write_end),
        *words,
        cwd=cwd,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        pass_fds=(write_end,),
        start_new_session=True,
    )
    os.close(write_end)
    _tell({"pid": process.pid})
    tail = bytearray()
    reading = asyncio.create_task(_keep_tail(process, tail))
    code: int | None = None
    with os.fdopen(read_end, "rb") as report:
        try:
            async with asyncio.timeout(limit_s):
                code = await process.wait()
        except TimeoutError:
            code = None
        finally:
            _kill(process.pid)
            await process.wait()
            _kill_strays()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        os.set_blocking(report.fileno(), False)
        told = report.read(REPORT_BYTES) or b""
    return {
        "code": code,
        "seconds": time.monotonic() - began,
        "output": tail.decode("utf-8", "replace"),
        "report": told.decode("utf-8", "replace"),
    }


async def _keep_tail(process: asyncio.subprocess.Process, tail: bytearray) -> None:
    assert process.stdout is not None
    while chunk := await process.stdout.read(65_536):
        tail += chunk
        del tail[:-TAIL_BYTES]


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


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
