"""What is told on stderr: one line each, since names and values in it are anybody's, and some are secrets."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from preflight.redact import Redactor


def redactor() -> Redactor:
    """Takes out what this process's environment holds of secrets, too."""
    from preflight.redact import Redactor, secrets_of

    return Redactor(secrets_of(os.environ))


def warn(text: str) -> None:
    say(clean(text))


def clean(text: str) -> str:
    from preflight.report.text import one_line

    return one_line(redactor().text(text))


def say(text: str) -> None:
    """A stderr that is full or has a codec of its own costs the text, not the exit code."""
    from preflight.report.text import inert

    text = inert(text)
    with contextlib.suppress(OSError, ValueError, LookupError):
        try:
            click.echo(text, err=True)
        except UnicodeError:
            click.echo(text.encode("ascii", "backslashreplace").decode(), err=True)
