"""The options that several commands share, and what becomes of them.  Imports no engine: the gate starts fast."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, cast

import click

from preflight.cli.running.audience import Shown
from preflight.cli.running.outputs import FORMATS, ON_SCREEN, Output
from preflight.model import Json, Stage, Status

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Options:
    """A run as the command line asked for it."""

    app: str | None = None
    is_sandbox: bool = False
    is_unconfined: bool = False
    scenario: str | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    stage: Stage | None = None  # else as the settings say
    spend_max: Decimal | None = None
    wait_s: float = 0.0
    timeout_s: float | None = None
    fail_on: Status | None = None  # likewise
    environment: str | None = None
    is_recorded: bool = False
    is_for_all: bool = False  # every app of the project
    shown: Shown = field(default_factory=Shown)

    def __post_init__(self) -> None:
        if self.scenario is not None and not self.is_sandbox:
            raise click.UsageError("--scenario belongs to --sandbox")


def parse_outputs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Output, ...]:
    """An option callback.  Raises BadParameter that names the formats there are."""
    return tuple(_output(value) for value in values)


def _output(value: str) -> Output:
    wanted, equals, path = value.partition("=")
    if wanted not in FORMATS:
        raise click.BadParameter(f"{wanted!r} is not a format; there are {', '.join(FORMATS)}{near(wanted, FORMATS)}")
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


def split(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """An option callback: names that are repeated, or stand between commas."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def _go_to(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """An option callback: the command works as if it had been started in that folder."""
    if value is not None:
        try:
            os.chdir(value)
        except OSError as e:
            raise click.BadParameter(f"{value}: {e.strerror}") from e


ids_option = functools.partial(click.option, metavar="IDS", multiple=True, callback=split)
stage_option = functools.partial(
    click.option,
    "--stage",
    type=click.Choice([s.value for s in Stage]),
    callback=lambda ctx, param, value: value and Stage(value),
)
fail_on_option = click.option(
    "--fail-on",
    type=click.Choice(["warn", "fail"]),
    callback=lambda ctx, param, value: value and Status(value),
    help="What makes the exit code 1.  [default: fail, or the configuration]",
)
RUN = (
    click.option("-e", "--environment", metavar="ENV", help="Modal environment."),
    fail_on_option,
    click.option("--timeout", "timeout_s", type=click.FloatRange(min=0, min_open=True), help="Seconds for all checks."),
    click.option(
        "--wait",
        "wait_s",
        type=click.FloatRange(min=0),
        default=0.0,
        help="Seconds to go on asking what may become true by itself.",
    ),
    click.option(
        "--spend-max",
        metavar="USD",
        callback=parse_dollars,
        help="Dollars that paid checks may spend.  [default: 2.00]",
    ),
    click.option("--scenario", metavar="NAME", help="The sandbox's world; see `preflight sandbox --list`."),
    click.option("--sandbox", "is_sandbox", is_flag=True, help="Against a local Modal and S3; no account needed."),
)
SHOWN = (
    click.option(
        "-C", "folder", metavar="DIR", is_eager=True, expose_value=False, callback=_go_to, help="Work in this folder."
    ),
    click.option("--exit-zero", "is_exit_zero", is_flag=True, help="Findings do not make the exit code 1."),
    click.option("--write-baseline", metavar="FILE", help="Write what is found as a baseline for later runs."),
    click.option(
        "--baseline",
        metavar="FILE",
        help="An earlier JSON report: what it holds already is not held against this run, and stays counted.",
    ),
    click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Only what is wrong, and the verdict."),
    click.option("-v", "--verbose", "is_verbose", is_flag=True, help="Every rule, all evidence, every reason."),
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
)


def run_options(command: F) -> F:
    """What `run`, `check` and `gate` share: fields of Options, by their names."""
    return cast(F, _with(command, *RUN))


def shown_options(command: F) -> F:
    """-o/--output, --json, -v, -q, --baseline, --write-baseline, --exit-zero and -C, given as one ``shown``."""

    @functools.wraps(command)
    def called(*, outputs: tuple[Output, ...], as_json: bool, **given: Any) -> int:
        if as_json and Output("json") not in outputs:
            outputs = (*outputs, Output("json"))
        how = {f.name: given.pop(f.name) for f in dataclasses.fields(Shown) if f.name in given}
        code: int = command(shown=Shown(outputs=outputs, **how), **given)
        return code

    return cast(F, _with(called, *SHOWN))


def document_option(schema: str, *more: str) -> Callable[[F], F]:
    """``--json`` and ``-o json`` for a command that prints one document, given as ``is_json``; and ``more`` forms."""

    def chosen(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        forms = ("console", "json", *more)
        word, _, path = (value or "console").partition("=")
        if word not in forms or path not in ("", "-"):
            hint = f"; for a file: --json > {path}" if word == "json" and path else near(word, forms)
            raise click.BadParameter(f"{value!r} is not a form of this document; there are {', '.join(forms)}{hint}")
        return word

    def decorated(command: F) -> F:
        @functools.wraps(command)
        def called(*, output: str, **given: Any) -> int:
            flags = {f"is_{form}": given.pop(f"is_{form}") or output == form for form in ("json", *more)}
            code: int = command(**given, **flags)
            return code

        form = click.option("-o", "--output", metavar="FORM", callback=chosen, help="`-o json` is the same as --json.")
        flag = click.option("--json", "is_json", is_flag=True, help=f"Print the document {schema} and nothing else.")
        return cast(F, _with(called, form, flag))

    return decorated


def print_document(document: dict[str, Json]) -> None:
    click.echo(json.dumps(document, indent=2))


def _with(command: Any, *options: Callable[[Any], Any]) -> Any:
    for option in options:
        command = option(command)
    return command


def near(word: str, known: Iterable[str]) -> str:
    """ "; did you mean X?" for a word that is nearly one of those that there are; else ""."""
    import difflib

    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def wanted_outputs(outputs: Sequence[Output]) -> tuple[Output, ...]:
    """What to write; the console when nothing was named.  Raises UsageError for a document that shares stdout."""
    wanted = (*outputs,) or (Output("console"),)
    on_stdout = [o.format for o in wanted if o.stream == 1]
    if len(on_stdout) > 1 and (not ON_SCREEN.issuperset(on_stdout) or len(set(on_stdout)) < len(on_stdout)):
        raise click.UsageError(f"stdout holds one document; give all but one of {', '.join(on_stdout)} a file")
    return wanted
