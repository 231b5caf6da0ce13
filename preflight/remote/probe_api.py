"""Launches the probe on Modal: a bounded child does it, and this side streams, waits, and cleans up.

The image build has its own limit, since a first build takes a quarter of an hour; the run has another.  On a
limit or Ctrl-C the child gets SIGINT, which makes the client stop its app, and SIGKILL five seconds later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from preflight.model import Json
from preflight.problems import Kind, Problem
from preflight.process import end_group
from preflight.remote.modal_sdk import KINDS

QUEUE_S = 300.0  # for a GPU of the type to be free, beyond the payload's own limit
OURS = str(Path(__file__).resolve().parents[2])  # on the child's path, for a checkout that is not installed
TAIL = 2_000  # lines; the cause of a failed build stands far above the end


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One launch.  ``payload`` is the module that runs on the GPU, ``variables`` are the names the app's text binds the
    function's image to.
    """

    payload: str
    app: Path
    function: str
    variables: tuple[str, ...]
    gpus: tuple[str, ...]
    environment: str | None
    request: Mapping[str, Json]


class BuildFailed(Exception):
    """The image did not build; ``log`` is the end of what it printed."""

    def __init__(self, message: str, log: tuple[str, ...]) -> None:
        super().__init__(message)
        self.log = log


class AppNotLoaded(Exception):
    """The user's own file could not be imported, or has no image that could be used."""


async def launch(
    asked: Asked,
    *,
    cwd: Path,
    environ: Mapping[str, str],
    build_limit_s: float,
    run_limit_s: float,
    say: Callable[[str], None],
) -> dict[str, object]:
    """The payload's reading for each GPU.  Raises Problem, BuildFailed or AppNotLoaded."""
    tail: deque[str] = deque(maxlen=TAIL)
    document = {**asdict(asked), "app": str(asked.app.resolve()), "wait_s": run_limit_s + QUEUE_S}
    path = os.pathsep.join(filter(None, (OURS, environ.get("PYTHONPATH"))))
    read_end, write_end = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "preflight.remote.probe_child",
            str(write_end),
            cwd=cwd,
            env={**environ, "PYTHONPATH": path},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=(write_end,),
            start_new_session=True,
        )
    finally:
        os.close(write_end)
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(document).encode())
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        process.stdin.close()
        printing = asyncio.create_task(_print(process, tail, say))
        try:
            return await _collect(read_end, asked.gpus, tail, build_limit_s, run_limit_s, say)
        finally:
            printing.cancel()
            await asyncio.gather(printing, return_exceptions=True)
    finally:
        await end_group(process)


async def _collect(
    read_end: int,
    gpus: Sequence[str],
    tail: deque[str],
    build_limit_s: float,
    run_limit_s: float,
    say: Callable[[str], None],
) -> dict[str, object]:
    readings: dict[str, object] = {}
    limit_s, doing = build_limit_s, "building the image"
    deadline = asyncio.get_running_loop().time() + limit_s
    async with contextlib.aclosing(_events(read_end)) as events:
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    event = await anext(events)
            except TimeoutError:
                message = f"{doing} did not end within {limit_s:.0f} s"
                raise Problem(Kind.NO_ANSWER, service="Modal", operation=doing, message=message) from None
            except StopAsyncIteration:
                break
            if event["event"] == "started":
                limit_s, doing = run_limit_s + QUEUE_S, "the probe on the GPU"
                deadline = asyncio.get_running_loop().time() + limit_s
                say("the image is there; waiting for the GPU")
            elif event["event"] == "reading":
                readings[event["gpu"]] = event["reading"]
            elif event["event"] == "failed":
                raise _failure(event, tail)
    if set(gpus) - set(readings):
        message = "the launch ended without a reading: " + (tail[-1] if tail else "it printed nothing")
        raise Problem(Kind.UNEXPECTED, service="Modal", operation=doing, message=message)
    return readings


def _failure(event: Mapping[str, Any], tail: deque[str]) -> Exception:
    kind, error = str(event["kind"]), str(event["error"])
    if kind == "app":
        return AppNotLoaded(error)
    if kind == "build":
        return BuildFailed(error, tuple(event.get("log") or tail))
    return Problem(KINDS.get(kind, Kind.UNEXPECTED), service="Modal", operation="run the probe", message=error)


async def _events(read_end: int) -> AsyncGenerator[dict[str, Any], None]:
    """The child's JSON lines, until it closes its end."""
    reader = asyncio.StreamReader(limit=64 * 2**20)  # a reading is some 100 kB
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )
    try:
        while line := await reader.readline():
            yield json.loads(line)
    finally:
        transport.close()


async def _print(process: asyncio.subprocess.Process, tail: deque[str], say: Callable[[str], None]) -> None:
    assert process.stdout is not None
    while chunk := await process.stdout.readline():
        text = chunk.decode("utf-8", "replace").split("\r")[-1].rstrip()
        if text:
            tail.append(text)
            say(text)
