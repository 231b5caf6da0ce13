"""The options that several commands share, and what becomes of them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from preflight.report.reporter import Reporter

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("console", "json", "junit", "sarif", "github", "markdown")


@dataclass(frozen=True)
class Output:
    """One ``-o FORMAT[=PATH]``; ``-`` is stdout."""

    format: str
    path: str = "-"


def parse_outputs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Output, ...]:
    """An option callback.  Raises BadParameter that names the formats there are."""
    return tuple(_output(value) for value in values)


def _output(value: str) -> Output:
    wanted, equals, path = value.partition("=")
    if wanted not in FORMATS:
        raise click.BadParameter(f"{wanted!r} is not a format; there are {', '.join(FORMATS)}")
    if equals and not path:
        raise click.BadParameter(f"{value!r} names no file after '='")
    return Output(wanted, path or "-")


def parse_dollars(ctx: click.Context, param: click.Parameter, value: str | None) -> Decimal | None:
    """An option callback: an amount of 0 or more, with or without the sign."""
    if value is None:
        return None
    try:
        usd = Decimal(value.removeprefix("$"))
    except InvalidOperation:
        raise click.BadParameter(f"{value!r} is not an amount; wanted like 2.00") from None
    if not usd.is_finite() or usd < 0:
        raise click.BadParameter(f"{value!r} is not an amount of 0 or more")
    return usd


def output_options(command: F) -> F:
    """-o/--output, --json, -v."""
    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Every rule, all evidence, every reason."),
        click.option("--json", "as_json", is_flag=True, help="The same as -o json=-"),
        click.option(
            "-o",
            "--output",
            "outputs",
            metavar="FORMAT[=PATH]",
            callback=parse_outputs,
            multiple=True,
            help=f"May repeat: {', '.join(FORMATS)}.",
        ),
    ):
        command = option(command)
    return command


def wanted_outputs(outputs: Sequence[Output], as_json: bool) -> tuple[Output, ...]:
    """What to write; the console when nothing was named.  Raises UsageError for two documents on stdout."""
    wanted = (*outputs, *([Output("json")] if as_json and Output("json") not in outputs else []))
    wanted = wanted or (Output("console"),)
    on_stdout = [o.format for o in wanted if o.path == "-"]
    if len(on_stdout) > 1:
        raise click.UsageError(f"stdout holds one document; give all but one of {', '.join(on_stdout)} a file")
    return wanted


@contextlib.contextmanager
def reporters(outputs: Sequence[Output], *, is_verbose: bool) -> Iterator[list[Reporter]]:
    """The reporters, each with its open file; a file is replaced only when the report is whole."""
    with contextlib.ExitStack() as stack:
        yield [_reporter(o, stack.enter_context(_opened(o.path)), is_verbose) for o in outputs]


@contextlib.contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if path == "-":
        yield sys.stdout
        return
    target = Path(path)
    part = target.with_name(target.name + ".part")
    try:
        file = part.open("w", encoding="utf-8")
    except OSError as e:
        raise click.UsageError(f"{path} can't be written: {e.strerror}") from e
    try:
        with file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _reporter(output: Output, to: TextIO, is_verbose: bool) -> Reporter:
    from preflight.facts.in_force import digest

    if output.format == "json":
        from preflight.report.json_v1 import JsonReporter

        return JsonReporter(to, facts_digest=digest())
    if output.format == "junit":
        from preflight.report.junit import JunitReporter

        return JunitReporter(to)
    if output.format == "sarif":
        from preflight.report.sarif import SarifReporter

        return SarifReporter(to)
    if output.format == "github":
        from preflight.report.github import GithubReporter

        return GithubReporter(to)
    if output.format == "markdown":
        from preflight.report.markdown import MarkdownReporter

        return MarkdownReporter(to)
    from preflight.report.console import ConsoleReporter

    return ConsoleReporter(to, is_verbose=is_verbose)
