"""`preflight diagnose`: what made these logs fail, first cause first."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click

from preflight.cli.running.options import document_option, print_document
from preflight.diagnosis import diagnose
from preflight.diagnosis.model import Diagnosis, Verdict, document, documents
from preflight.model import Exit
from preflight.problems import Kind, Problem
from preflight.redact import Redactor, secrets_of
from preflight.report.text import in_encoding, printable

CHUNK_BYTES = 1 << 18
FILES_MOST = 500
EXIT = {Verdict.CLEAN: Exit.READY, Verdict.KNOWN: Exit.FINDINGS, Verdict.UNKNOWN: Exit.INCOMPLETE}
WORST = (Exit.FINDINGS, Exit.INCOMPLETE, Exit.READY)
BINARY_MAGIC = (b"\x7fELF", b"PK\x03\x04", b"\x1f\x8b", b"\x89PNG", b"%PDF", b"(\xb5/\xfd")
FETCH_S = 30.0
PREFIX_OF = {"app": "ap-", "image": "im-"}
ID = re.compile(r"[a-z]{2}-[A-Za-z0-9]{1,64}")


@click.command("diagnose", short_help="Name what made a log fail.")
@click.argument("logs", nargs=-1, metavar="[LOG | FOLDER | -]... [APP.py]")
@click.option("--app", "apps", multiple=True, metavar="ap-…", help="Read the log of this Modal app; may repeat.")
@click.option("--image", "images", multiple=True, metavar="im-…", help="Read this image's build log; may repeat.")
@click.option("--markdown", "is_markdown", is_flag=True, help="Print Markdown for an issue and nothing else.")
@document_option("preflight.diagnosis/1", "markdown")
@click.option("--explain-rule", "rule", metavar="ID", help="Print what a rule looks for, and what it says, and stop.")
def diagnose_command(
    logs: tuple[str, ...],
    apps: tuple[str, ...],
    images: tuple[str, ...],
    is_markdown: bool,
    is_json: bool,
    rule: str | None,
) -> int:
    """Read build or run logs, of any size, and name the first cause, why, and the fix for this log.

    With several logs, or a folder of them, each cause is shown once with the logs it is in. With APP.py the fix names
    the step and line of that app.

    Exit codes: 0 nothing failed, 1 a cause is known, 3 it failed for a cause that is not known, or there is
    no log to read.
    """
    if rule is not None:
        return _explain(rule)
    app = next((name for name in logs if name.endswith(".py") and Path(name).is_file()), None)
    found: dict[str, Diagnosis] = {}
    is_missing = False
    for name, stream in _streams([n for n in logs if n != app], apps, images):
        try:
            found[name] = diagnose(stream(), redact=Redactor(secrets_of(os.environ)).text)
        except NoLog as e:
            is_missing = True
            click.echo(in_encoding(printable(f"there is no log to read: {e}"), sys.stderr.encoding), err=True)
    if app is not None:
        from preflight.app.reader import read
        from preflight.diagnosis.in_app import at_its_place

        recipe = read(Path(app), project=Path.cwd())
        for name, one in found.items():
            found[name] = replace(one, causes=tuple(at_its_place(c, recipe) for c in one.causes))
    if found:
        _tell(found, is_json=is_json, is_markdown=is_markdown)
    codes = {EXIT[d.verdict] for d in found.values()} | ({Exit.INCOMPLETE} if is_missing else set())
    return next(code for code in WORST if code in codes)


def _tell(found: Mapping[str, Diagnosis], *, is_json: bool, is_markdown: bool) -> None:
    from preflight.report.plain_console import stdout_console
    from preflight.report.screens import diagnosis as diagnosis_screen

    if is_json:
        one = next(iter(found.values()))
        print_document(document(one) if len(found) == 1 else documents(found))
    elif is_markdown:
        click.echo(in_encoding(diagnosis_screen.markdown(found), sys.stdout.encoding))
    else:
        diagnosis_screen.show(stdout_console(off_terminal=80), found)


def _explain(rule: str) -> int:
    from difflib import get_close_matches

    from preflight.diagnosis.rules import rulebook
    from preflight.report.screens.diagnosis import page

    forms = [r for r in rulebook().rule if r.id == rule]
    if not forms:
        ids = sorted({r.id for r in rulebook().rule})
        near = get_close_matches(rule, ids, n=3) or ids
        raise click.UsageError(f"{printable(rule)!r} is no diagnosis rule; there are {', '.join(near)}")
    click.echo(in_encoding(printable(page(forms)), sys.stdout.encoding))
    return Exit.READY


Stream = Callable[[], Iterable[bytes]]


def _streams(logs: Sequence[str], apps: tuple[str, ...], images: tuple[str, ...]) -> Iterator[tuple[str, Stream]]:
    """The name of each log, and what reads it.  Raises UsageError for what is no log."""
    for kind, names in (("app", apps), ("image", images)):
        for name in names:
            yield name, partial(fetched, kind, name)
    for log in dict.fromkeys(logs or (() if apps or images else ("-",))):
        if log == "-":
            if not logs and sys.stdin.isatty():
                raise click.UsageError("no log: give a file, or - to read standard input")
            yield log, partial(_text_of, sys.stdin.buffer, "standard input")
        elif Path(log).is_dir():
            yield from _of_folder(Path(log))
        else:
            yield log, partial(_file, Path(log))


def _file(path: Path) -> Iterator[bytes]:
    try:
        file: BinaryIO = path.open("rb")
    except OSError as e:
        raise click.UsageError(f"{printable(str(path))} can't be read: {e.strerror or e}") from e
    with file:
        yield from _text_of(file, printable(str(path)))


def _text_of(file: BinaryIO, name: str) -> Iterator[bytes]:
    """The chunks of a file, of which the first must be there and look like text.  Raises UsageError."""
    try:
        first = file.read(CHUNK_BYTES)
        if problem := _no_text(first):
            raise click.UsageError(f"{name} {problem}")
        yield first
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
    except OSError as e:
        raise click.UsageError(f"{name} can't be read to its end: {e.strerror or e}") from e


def _of_folder(folder: Path) -> Iterator[tuple[str, Stream]]:
    """Its files that hold text, not those of folders below.  Raises UsageError where there is none."""
    files = [p for p in sorted(folder.iterdir()) if p.is_file() and _is_text(p)][:FILES_MOST]
    if not files:
        raise click.UsageError(f"{printable(str(folder))} is a folder without a log in it")
    for path in files:
        yield str(path), partial(_file, path)


def _is_text(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return not _no_text(file.read(4096))
    except OSError:
        return False


def _no_text(first: bytes) -> str:
    """Why a file that begins so is no log; "" for text."""
    if not first.strip():
        return "is empty: there is no log to read"
    if first.startswith(BINARY_MAGIC) or first.count(b"\0") * 10 > len(first):
        return f"holds binary data, not a log (its first bytes are {first[:8]!r})"
    return ""


class NoLog(Exception):
    """Modal could not be asked, or keeps nothing of what was asked for: what happened, and what to do."""


def fetched(kind: str, name: str) -> list[bytes]:
    """The log as Modal keeps it.  Raises UsageError for what is no id of this kind, and NoLog."""
    prefix = PREFIX_OF[kind]
    if not ID.fullmatch(name) or not name.startswith(prefix):
        raise click.UsageError(f"{name!r} is no id of an {kind}; wanted {prefix}…, as `modal {kind} list` prints it")
    from preflight.remote import logs_api

    ask = logs_api.app_log if kind == "app" else logs_api.image_log

    async def asked() -> list[bytes]:
        async with asyncio.timeout(FETCH_S):
            return await ask(name)

    try:
        log = asyncio.run(asked())
    except TimeoutError as e:
        raise NoLog(f"Modal gave no answer within {FETCH_S:g} s") from e
    except Problem as e:
        raise NoLog(f"{e}\n{_advice(e.kind, kind, name)}") from e
    if not any(part.strip() for part in log):
        raise NoLog(f"Modal keeps no output of {name}; it keeps 30 days")
    return log


def _advice(problem: Kind, kind: str, name: str) -> str:
    if problem is Kind.NOT_FOUND:
        return f"check the id and the workspace: `modal {kind} list` shows those of this one; not {name}"
    if problem in (Kind.NOT_SIGNED_IN, Kind.REFUSED):
        return "`modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"
    by_hand = f"`modal {kind} logs {name} | preflight diagnose -`"
    return by_hand if problem is Kind.UNSUPPORTED else f"try again, or {by_hand}"
