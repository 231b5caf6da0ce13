"""`preflight diagnose`: what made this log fail, first cause first."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Coroutine, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from preflight.diagnosis import diagnose
from preflight.diagnosis.document import document
from preflight.diagnosis.model import Cause, Diagnosis, Verdict
from preflight.diagnosis.scan import COUNTED
from preflight.model import Exit
from preflight.problems import Kind, Problem
from preflight.redact import Redactor, secrets_of
from preflight.report.console import stdout_console
from preflight.report.text import in_encoding, printable

CHUNK_BYTES = 1 << 18
NAME_WIDTH = 4
EXIT = {Verdict.CLEAN: 0, Verdict.KNOWN: 1, Verdict.UNKNOWN: 3}
BINARY_MAGIC = (b"\x7fELF", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG", b"%PDF", b"(\xb5/\xfd")
FETCH_S = 30.0
PREFIX_OF = {"app": "ap-", "image": "im-"}
ID = re.compile(r"[a-z]{2}-[A-Za-z0-9]{1,64}")


@click.command("diagnose", short_help="Name what made a log fail.")
@click.argument("log", required=False, metavar="[LOG | -]")
@click.option("--app", metavar="ap-…", help="Read the log of this Modal app.")
@click.option("--image", metavar="im-…", help="Read the build log of this Modal image.")
@click.option("--json", "is_json", is_flag=True, help="Print the document preflight.diagnosis/1 and nothing else.")
def diagnose_command(log: str | None, app: str | None, image: str | None, is_json: bool) -> int:
    """Read a build or run log, of any size, and name its first cause, why, and the fix for this log.

    Exit codes: 0 nothing failed, 1 the cause is known, 3 it failed for a cause that is not known, or there is
    no log to read.
    """
    if sum(given is not None for given in (log, app, image)) > 1:
        raise click.UsageError("LOG, --app and --image name one log each; give one of them")
    try:
        diagnosis = diagnose(_stream(log, app, image), redact=Redactor(secrets_of(os.environ)).text)
    except NoLog as e:
        click.echo(in_encoding(printable(f"there is no log to read: {e}"), sys.stderr.encoding), err=True)
        return Exit.INCOMPLETE
    if is_json:
        click.echo(json.dumps(document(diagnosis), ensure_ascii=True, indent=2))
    else:
        show(diagnosis, log or app or image or "-")
    return EXIT[diagnosis.verdict]


def _stream(log: str | None, app: str | None, image: str | None) -> Iterable[bytes]:
    if app is not None:
        return fetched("app", app)
    if image is not None:
        return fetched("image", image)
    if log in (None, "-") and sys.stdin is None:
        raise click.UsageError("standard input is closed: there is no log to read")
    if log is None and sys.stdin.isatty():
        raise click.UsageError("no log: give a file, or - to read standard input")
    if log is None or log == "-":
        return _checked(_chunks(sys.stdin.buffer), "standard input")
    path = Path(log)
    if path.is_dir():
        raise click.UsageError(f"{printable(log)} is a folder; wanted a log file, or - for standard input")
    try:
        file: BinaryIO = path.open("rb")
    except OSError as e:
        raise click.UsageError(f"{printable(log)} can't be read: {e.strerror or e}") from e
    return _checked(_closing(file), printable(log))


class NoLog(Exception):
    """Modal could not be asked, or keeps nothing of what was asked for: what happened, and what to do."""


def fetched(kind: str, name: str) -> list[bytes]:
    """The log as Modal keeps it.  Raises UsageError for what is no id of this kind, and NoLog."""
    prefix = PREFIX_OF[kind]
    if not ID.fullmatch(name) or not name.startswith(prefix):
        raise click.UsageError(f"{name!r} is no id of an {kind}; wanted {prefix}…, as `modal {kind} list` prints it")
    from preflight.remote import logs_api

    ask = logs_api.app_log if kind == "app" else logs_api.image_log
    try:
        log = asyncio.run(_in_time(ask(name)))
    except TimeoutError as e:
        raise NoLog(f"Modal gave no answer within {FETCH_S:g} s") from e
    except Problem as e:
        raise NoLog(_advised(e, kind, name)) from e
    if not any(part.strip() for part in log):
        raise NoLog(f"Modal keeps no output of {name}; it keeps 30 days")
    return log


async def _in_time(asked: Coroutine[None, None, list[bytes]]) -> list[bytes]:
    async with asyncio.timeout(FETCH_S):
        return await asked


def _advised(problem: Problem, kind: str, name: str) -> str:
    advice = {
        Kind.NOT_FOUND: f"check the id and the workspace: `modal {kind} list` shows those of this one; not {name}",
        Kind.NOT_SIGNED_IN: "`modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET",
        Kind.REFUSED: "`modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET",
        Kind.UNSUPPORTED: f"`modal {kind} logs {name} | preflight diagnose -`",
    }.get(problem.kind, f"try again, or `modal {kind} logs {name} | preflight diagnose -`")
    return f"{problem}\n{advice}"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _closing(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from _chunks(file)


def _checked(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The chunks, of which the first must be there and look like text. Raises UsageError."""
    try:
        yield from _looked_at(chunks, name)
    except OSError as e:
        raise click.UsageError(f"{name} can't be read to its end: {e.strerror or e}") from e


def _looked_at(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    first = next(chunks, b"")
    if not first.strip():
        raise click.UsageError(f"{name} is empty: there is no log to read")
    if first.startswith(BINARY_MAGIC) or first.count(b"\0") * 10 > len(first):
        raise click.UsageError(f"{name} holds binary data, not a log (its first bytes are {first[:8]!r})")
    yield first
    yield from chunks


def show(diagnosis: Diagnosis, name: str) -> None:
    """The screen: cause first, then its proof, why, and the fix."""
    console = stdout_console(off_terminal=80)
    for number, cause in enumerate(diagnosis.causes):
        _show_cause(console, cause, is_first=number == 0)
    if diagnosis.verdict is Verdict.UNKNOWN and diagnosis.failure is not None:
        _put(console, f"UNKNOWN  {name} failed, and no rule knows why", "bold yellow")
        _field(console, "last", f"line {diagnosis.failure.line}: {diagnosis.failure.excerpt}")
        _field(console, "next", "read upwards from that line; an exception of your own code is yours to mend")
    if diagnosis.verdict is Verdict.CLEAN:
        _put(console, f"CLEAN  {name}: {diagnosis.lines} lines, no sign of a failure", "bold green")


def _show_cause(console: Console, cause: Cause, *, is_first: bool) -> None:
    _put(console, f"{'CAUSE' if is_first else 'ALSO '}  {cause.title}", "bold red")
    for offset, line in enumerate(cause.excerpt.split("\n")):
        _field(console, "seen" if offset == 0 else "", f"{cause.line + offset:>5} | {line.strip()}")
    _field(console, "why", cause.why)
    _field(console, "fix", cause.remedy)
    if cause.explained_lines:
        least = "at least " * (cause.explained_lines >= COUNTED - 1)
        _field(console, "", f"explains {least}{cause.explained_lines} later line{'s' * (cause.explained_lines != 1)}")
    _field(console, "rule", f"{cause.rule} ({cause.phase}), confidence {cause.confidence.value}; from {cause.source}")


def _field(console: Console, name: str, text: str) -> None:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=NAME_WIDTH, no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(name, _text(console, text))
    console.print(Padding(row, (0, 0, 0, 2), expand=False))


def _put(console: Console, text: str, style: str) -> None:
    console.print(_text(console, text, style))


def _text(console: Console, text: str, style: str = "") -> Text:
    return Text(in_encoding(printable(text), console.encoding), style=style)
