"""The options that several commands share, and what becomes of them."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

from preflight.cli.running.outputs import FORMATS, ON_SCREEN, Output, look_at, write
from preflight.cli.running.stderr import warn
from preflight.events import Event
from preflight.model import Check, Report, Target
from preflight.report.baseline import Baseline, BaselineRefused, Compared
from preflight.report.places import Places, from_here, from_repository
from preflight.report.reporter import Reporter

F = TypeVar("F", bound=Callable[..., Any])
Document = Callable[[Report, Compared | None], str]


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


def _go_to(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """An option callback: the command works as if it had been started in that folder."""
    if value is not None:
        try:
            os.chdir(value)
        except OSError as e:
            raise click.BadParameter(f"{value}: {e.strerror}") from e


def output_options(command: F) -> F:
    """-o/--output, --json, -v, -q, --baseline, --write-baseline, --exit-zero, -C."""
    for option in (
        click.option(
            "-C",
            "folder",
            metavar="DIR",
            is_eager=True,
            expose_value=False,
            callback=_go_to,
            help="Work in this folder.",
        ),
        click.option("--exit-zero", is_flag=True, help="Findings do not make the exit code 1."),
        click.option("--write-baseline", metavar="FILE", help="Write what is found as a baseline for later runs."),
        click.option(
            "--baseline",
            metavar="FILE",
            help="An earlier JSON report: what it holds already is not held against this run, and stays counted.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Only what is wrong, and the verdict."),
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


def split_ids(values: tuple[str, ...]) -> tuple[str, ...]:
    """The ids or names of an option that takes several by comma and may be repeated."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def near(word: str, known: Iterable[str]) -> str:
    """ "; did you mean X?" for a word that is nearly one of those that there are; else ""."""
    import difflib

    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def wanted_outputs(outputs: Sequence[Output], as_json: bool) -> tuple[Output, ...]:
    """What to write; the console when nothing was named.  Raises UsageError for a document that shares stdout."""
    wanted = (*outputs, *([Output("json")] if as_json and Output("json") not in outputs else []))
    wanted = wanted or (Output("console"),)
    on_stdout = [o.format for o in wanted if o.stream == 1]
    if len(on_stdout) > 1 and (not ON_SCREEN.issuperset(on_stdout) or len(set(on_stdout)) < len(on_stdout)):
        raise click.UsageError(f"stdout holds one document; give all but one of {', '.join(on_stdout)} a file")
    return wanted


def given_words() -> frozenset[str]:
    """The names of the options that were typed, and not left to their default."""
    ctx = click.get_current_context()
    return frozenset(n for n in ctx.params if ctx.get_parameter_source(n) is click.core.ParameterSource.COMMANDLINE)


@contextlib.contextmanager
def reporters(
    outputs: Sequence[Output],
    *,
    is_verbose: bool,
    is_quiet: bool = False,
    base: Path | None = None,
    sources: Sequence[Path] = (),
    also: Sequence[Output] = (),
    baseline: Baseline | None = None,
) -> Iterator[list[Reporter]]:
    """The reporters, each with its place.  ``base`` is the folder that the report's paths start from.

    ``also`` are files that the caller will write.  Raises UsageError, before anything runs, for what could not be
    written or is one of ``sources``.
    """
    look_at([*outputs, *also], sources)
    here, top = from_here(base, Path.cwd()), from_repository(base, Path.cwd())
    first = [o for o in outputs if o.format == "console"]
    rest = [o for o in outputs if o.format != "console"]
    yield [_Careful(_reporter(o, here, top, baseline, is_verbose, is_quiet), o) for o in (*first, *rest)]


def _reporter(
    output: Output, here: Places, top: Places, baseline: Baseline | None, is_verbose: bool, is_quiet: bool
) -> Reporter:
    if output.format != "console":
        return _Written(output, top, baseline)
    from preflight.report.console import ConsoleReporter

    screen = partial(ConsoleReporter, is_verbose=is_verbose, is_quiet=is_quiet, places=here, baseline=baseline)
    if output.stream == 1:
        return screen(sys.stdout)
    return _Screen(output, screen)


class _Written:
    """A document: a function of the report, which is written when that is whole."""

    def __init__(self, output: Output, places: Places, baseline: Baseline | None) -> None:
        self.output, self.places, self.baseline = output, places, baseline

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        """Only the console observes."""

    def observe(self, event: Event) -> None:
        """As begin."""

    def finish(self, report: Report) -> None:
        compared = self.baseline.last if self.baseline else None
        write(self.output, _document(self.output.format)(self.places.report(report), compared))


class _Screen:
    """The console's text in a file."""

    def __init__(self, output: Output, make: Callable[[TextIO], Reporter]) -> None:
        self.output, self.to = output, io.StringIO()
        self.console = make(self.to)
        self.begin, self.observe = self.console.begin, self.console.observe

    def finish(self, report: Report) -> None:
        self.console.finish(report)
        write(self.output, self.to.getvalue())


class _Careful:
    """One reporter's failure costs its own document; the others and the verdict stay."""

    def __init__(self, reporter: Reporter, output: Output) -> None:
        self.reporter, self.output = reporter, output
        self.is_broken = False

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        self._tell(lambda: self.reporter.begin(target, checks))

    def observe(self, event: Event) -> None:
        self._tell(lambda: self.reporter.observe(event))

    def finish(self, report: Report) -> None:
        self._tell(lambda: self.reporter.finish(report))

    def _tell(self, say: Callable[[], None]) -> None:
        if self.is_broken:
            return
        try:
            say()
        except BrokenPipeError:
            raise
        except Exception as e:  # noqa: BLE001 - a format that breaks must not change the verdict or the other formats
            self.is_broken = True
            where = "" if self.output.path == "-" else f" to {self.output.path}"
            why = (e.strerror or str(e)) if isinstance(e, OSError) else f"{type(e).__name__}: {e}"
            with contextlib.suppress(OSError):
                warn(f"the {self.output.format} report could not be written{where}: {why}")


def _document(name: str) -> Document:
    module = importlib.import_module(f"preflight.report.{ {'json': 'json_v1'}.get(name, name) }")
    made: Document = module.text
    return made


def read_baseline(path: str | None, base: Path) -> Baseline | None:
    """Raises UsageError."""
    if path is None:
        return None
    from preflight.report import baseline

    try:
        return baseline.read(Path(path), from_repository(base, Path.cwd()))
    except BaselineRefused as e:
        raise click.UsageError(f"--baseline: {e}") from e


def keep_baseline(path: str | None, base: Path | None, report: Report) -> None:
    """What was found, known or not, as the baseline of later runs."""
    if path is not None:
        _Careful(_Written(Output("json", path), from_repository(base, Path.cwd()), None), Output("json", path)).finish(
            report
        )
