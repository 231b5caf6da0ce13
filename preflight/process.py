"""Runs the user's own commands: streamed, bounded, in a process group of their own, their log kept."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

TAIL_LINES = 2_000  # enough for a diagnosis of most logs; a whole one is in the log file
LONGEST_LINE = 16_384  # bytes; a longer one is cut in the tail and in progress, not in the log
NO_SUCH_PROGRAM = 127  # the shell's own code for it
GRACE_S = 5.0  # between SIGINT and SIGKILL: a client stops its app in the meantime


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
    """Run a shell command to its end, its limit, or our cancellation; its whole group ends with it.

    Raises OSError when the log can't be written.
    """
    began = time.monotonic()
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with contextlib.ExitStack() as stack:
        keep = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            keep = stack.enter_context(log.open("wb"))
        process = await asyncio.create_subprocess_shell(
            command,
            cwd=cwd,
            env=dict(environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        limit = asyncio.timeout(timeout_s)
        try:
            async with limit:
                rest = b""
                while chunk := await process.stdout.read(65_536):
                    if keep is not None:
                        keep.write(chunk)
                    *lines, rest = (rest + chunk).split(b"\n")
                    rest = rest[-LONGEST_LINE:]
                    for line in lines:
                        _tell(line, tail, say)
                if rest:
                    _tell(rest, tail, say)
                code: int | None = await process.wait()
        except TimeoutError:
            if not limit.expired():
                raise
            code = None
        finally:
            await end_group(process)
    return Ran(code=code, seconds=time.monotonic() - began, tail=tuple(tail), log=log)


def _tell(line: bytes, tail: deque[str], say: Callable[[str], None]) -> None:
    text = line[:LONGEST_LINE].decode("utf-8", "replace").split("\r")[-1].rstrip()
    if text:
        tail.append(text)
        say(text)


async def end_group(process: asyncio.subprocess.Process) -> None:
    """End what is left of a process that was started in a session of its own: SIGINT first, then SIGKILL."""
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGINT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()
    _signal_group(process.pid, signal.SIGKILL)  # what it left behind, also after it ended by itself
    if process.returncode is None:
        await process.wait()


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
