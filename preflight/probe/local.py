"""Runs the payload with an interpreter of this machine, bounded, and leaves no process behind."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from preflight.model import Json
from preflight.process import Ran, run_command

PAYLOAD = Path(__file__).with_name("payload")
GRACE_S = 3.0  # beyond the payload's own limit, for it to end its children and to write
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
        asked, reading = Path(name, "request.json"), Path(name, "reading.json")
        asked.write_text(json.dumps(dict(request)), encoding="utf-8")
        words = [python, PAYLOAD, "--request", asked, "--out", reading, "--parent", os.getpid()]
        # exec: the payload watches for the end of its parent, which is not to be a shell
        command = "exec " + shlex.join(map(str, words))
        cwd, timeout_s = folder or Path.cwd(), limit_s + GRACE_S
        try:
            ran = asyncio.run(run_command(command, cwd=cwd, environ=environ, timeout_s=timeout_s, say=say))
        except OSError as e:
            raise LocalProbeFailed(f"{python} can't be started in {cwd}: {e.strerror or e}") from e
        if ran.code is None:
            raise LocalProbeFailed(f"{python} gave no reading within {limit_s:g} s")
        return _document(reading, python, ran)


def _document(reading: Path, python: str, ran: Ran) -> object:
    try:
        document: object = json.loads(reading.read_text("utf-8"))
    except FileNotFoundError:
        end = "; ".join(ran.tail[-TAIL_LINES:]) or "it printed nothing"
        raise LocalProbeFailed(f"{python} {ran.outcome} and gave no reading: {end}") from None
    except (ValueError, RecursionError) as e:
        raise LocalProbeFailed(f"{python} left a reading that is not JSON: {e}") from e
    return document
