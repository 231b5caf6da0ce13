"""What is said on stderr: one line each, since names and values in it are anybody's, and some are secrets."""

from __future__ import annotations

import contextlib
import os

import click


def warn(text: str) -> None:
    say(clean(text))


def clean(text: str) -> str:
    from preflight.redact import Redactor, secrets_of
    from preflight.report.text import one_line

    return one_line(Redactor(secrets_of(os.environ)).text(text))


def say(text: str) -> None:
    """A stderr that is full or has a codec of its own costs the text, not the exit code."""
    from preflight.report.text import inert

    text = inert(text)
    with contextlib.suppress(OSError, ValueError, LookupError):
        try:
            click.echo(text, err=True)
        except UnicodeError:
            click.echo(text.encode("ascii", "backslashreplace").decode(), err=True)
