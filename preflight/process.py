"""Other processes: commands that are streamed, bounded and ended with all that they started.

A command gets a session of its own.  What leaves that session is known by a variable that its processes inherit,
where the system shows another process's environment (Linux); elsewhere the group is all that is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

TAIL_LINES = 2_000  # enough for a diagnosis of most logs; a whole one is in the log file
LONGEST_LINE = 16_384  # bytes; a longer one is cut in the tail and in progress, not in the log
NO_SUCH_PROGRAM = 127  # the shell's own code for it
GRACE_S = 5.0  # between SIGINT and SIGKILL: a client stops its app in the meantime
DRAIN_S = 0.5  # for the last lines of a command that has ended; a daemon of its own may hold the pipe for ever
MARK = "PREFLIGHT_STARTED_BY"
PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """``code`` is None when the time limit ended it.  ``tail`` are its last lines, stdout and stderr together."""

    code: int | None
    seconds: float
    tail: tuple[str, ...]
    log: Path | None

    @property
    def outcome(self) -> str:
        if self.code is None:
            return f"did not end within {self.seconds:.0f} s"
        if self.code == NO_SUCH_PROGRAM:
            return f"ended with exit code {self.code}: the shell found no such program on its PATH"
        if self.code < 0:
            return f"was ended by signal {-self.code}"
        return f"ended with exit code {self.code}"


async def run_command(
    command: str,
    *,
    cwd: Path,
    environ: Mapping[str, str],
    timeout_s: float,
    say: Callable[[str], None],
    log: Path | None = None,
) -> Ran:
    """Run a shell command to its end, its limit, or our cancellation.

    Its group ends with it; what it left in a session of its own ends too, unless the command ended by itself.
    Raises OSError when the log can't be written.
    """
    began = time.monotonic()
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    mark = secrets.token_hex(8)
    with contextlib.ExitStack() as stack:
        keep = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            keep = stack.enter_context(os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"))
        read_end, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_shell(
                command,
                cwd=cwd,
                env={**environ, MARK: mark},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        reading = asyncio.create_task(_lines(read_end, keep, tail, say))
        code: int | None = None
        limit = asyncio.timeout(timeout_s)
        try:
            async with limit:
                code = await process.wait()
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            await end_group(process, mark if code is None else "")
            await asyncio.wait({reading}, timeout=DRAIN_S)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    return Ran(code=code, seconds=time.monotonic() - began, tail=tuple(tail), log=log)


async def _lines(read_end: int, keep: BinaryIO | None, tail: deque[str], say: Callable[[str], None]) -> None:
    """Whatever comes from the pipe, line by line, until nobody holds its other end."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", buffering=0)
    )
    rest = b""
    try:
        while chunk := await reader.read(65_536):
            if keep is not None:
                keep.write(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-LONGEST_LINE:]
            for line in lines:
                _tell(line, tail, say)
    finally:
        transport.close()
        if rest:
            _tell(rest, tail, say)


def _tell(line: bytes, tail: deque[str], say: Callable[[str], None]) -> None:
    text = line[:LONGEST_LINE].decode("utf-8", "replace").split("\r")[-1].rstrip()
    if text:
        tail.append(text)
        say(text)


async def end_group(process: asyncio.subprocess.Process, mark: str = "") -> None:
    """End what is left of a process that was started in a session of its own: SIGINT first, then SIGKILL.

    With the ``mark`` that it was started with, what left its session ends too.
    """
    if process.returncode is None:
        signal_group(process.pid, signal.SIGINT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()
    signal_group(process.pid, signal.SIGKILL)  # what it left behind, also after it ended by itself
    for pid in marked(mark) if mark else ():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    if process.returncode is None:
        await process.wait()


def signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def marked(mark: str) -> list[int]:
    """The processes whose environment holds the mark: none where the system does not show it."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def when_input_ends(call: Callable[[], object]) -> None:
    """Calls it in the running loop when standard input closes: the parent is gone, or wants us gone."""
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()

    def look() -> None:
        if not os.read(stdin, 4096):
            loop.remove_reader(stdin)
            call()

    loop.add_reader(stdin, look)
