"""Runs the payload with an interpreter of this machine, bounded, and leaves no process behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from preflight.model import Json

PAYLOAD = Path(__file__).with_name("payload")
GRACE_S = 3.0  # for the payload to end its children after TERM; it needs under 0.3 s
TAIL_LINES = 6


class LocalProbeFailed(Exception):
    """The payload gave no reading; the text says why."""


def probe_here(
    python: str,
    request: Mapping[str, Json],
    *,
    say: Callable[[str], None],
    environ: Mapping[str, str],
    folder: Path | None = None,
) -> object:
    """The payload's document.  Raises LocalProbeFailed; an interrupt ends every child before it goes on up."""
    limit_s = float(request["limit_s"])
    with tempfile.TemporaryDirectory(prefix="preflight-probe-") as name:
        room = Path(name)
        (room / "request.json").write_text(json.dumps(dict(request)), encoding="utf-8")
        with (room / "errors.txt").open("wb") as errors:
            process = _start(python, room, errors.fileno(), environ, folder)
        is_late = threading.Event()
        limit = threading.Timer(limit_s + GRACE_S, _end, (process, is_late))
        limit.daemon = True
        limit.start()
        try:
            assert process.stdout is not None
            with _terminated_as_interrupted():
                for line in process.stdout:
                    say(line.rstrip("\n"))
                code = process.wait()
        finally:
            limit.cancel()
            _end(process)
        return _document(python, room, code, is_late.is_set(), limit_s)


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """TERM and HUP end this command as Ctrl-C does, so that nothing stays on the GPU; KILL the payload sees itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(
    python: str, room: Path, errors: int, environ: Mapping[str, str], folder: Path | None
) -> subprocess.Popen[str]:
    files = ["--request", str(room / "request.json"), "--out", str(room / "reading.json")]
    command = [python, str(PAYLOAD), *files, "--parent", str(os.getpid())]
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            env=dict(environ),
            cwd=folder,
            start_new_session=True,
        )
    except OSError as e:
        raise LocalProbeFailed(f"{python} can't be started: {e.strerror or e}") from e


def _end(process: subprocess.Popen[str], is_late: threading.Event | None = None) -> None:
    """TERM first: the payload's children have sessions of their own, and it ends them on its way out."""
    if process.poll() is not None:
        return
    if is_late is not None:
        is_late.set()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _document(python: str, room: Path, code: int, is_late: bool, limit_s: float) -> object:
    tail = (room / "errors.txt").read_text("utf-8", "replace").strip().splitlines()[-TAIL_LINES:]
    if is_late:
        raise LocalProbeFailed(f"{python} gave no reading within {limit_s:g} s")
    try:
        document: object = json.loads((room / "reading.json").read_text("utf-8"))
    except FileNotFoundError:
        said = "; ".join(tail) or "it said nothing"
        raise LocalProbeFailed(f"{python} ended with {code} and no reading: {said}") from None
    except ValueError as e:
        raise LocalProbeFailed(f"{python} left half a reading: {e}") from e
    return document
