"""Who is told of a run: a screen while it goes on, documents when it is over.  What reaches them has been redacted."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TextIO

import click

from preflight.cli.running.outputs import Output, look_at, write
from preflight.cli.running.stderr import redactor, warn
from preflight.events import Event, Reporter
from preflight.model import Check, Exit, Report, Result, Stage, Target
from preflight.report.baseline import Baseline, BaselineRefused, Compared, read
from preflight.report.places import Places, from_here, from_repository
from preflight.report.redacted import cleaned


def all_checks(stages: Collection[Stage] = frozenset(Stage), named: Collection[str] = ()) -> tuple[Check, ...]:
    """Built-in and plugin checks of these stages, in checklist order; of the built-in ones those that are ``named``."""
    from preflight.engine import builtin, index
    from preflight.engine.select import in_order

    ours = builtin.checks(stages, named)
    points = entry_points(group=index.GROUP)
    if not points:
        return in_order(ours)
    from preflight.engine import plugins

    return in_order((*ours, *(c for c in plugins.checks(index.listed(), points) if c.stage in stages)))


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How a report is shown and judged, as the command line asked for it."""

    outputs: tuple[Output, ...] = (Output("console"),)
    is_verbose: bool = False
    is_quiet: bool = False
    baseline: str | None = None
    write_baseline: str | None = None
    is_exit_zero: bool = False

    def exit_of(self, report: Report) -> Exit:
        return Exit.READY if self.is_exit_zero and report.exit is Exit.FINDINGS else report.exit


class Audience:
    """The reporters of one run.  One that fails costs its own output, not the run, the others or the verdict.

    ``keeper`` gets what was found, whether a baseline knew it or not.
    """

    def __init__(
        self, readers: Sequence[Reporter], baseline: Baseline | None = None, keeper: Reporter | None = None
    ) -> None:
        self._readers, self._keepers = list(readers), [keeper] if keeper else []
        self._baseline = baseline
        self._text = redactor().text

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        clean = cleaned(target, self._text)
        tell(self._readers, lambda reader: reader.begin(clean, checks))

    def observe(self, event: Event) -> None:
        shown = cleaned(event, self._text)
        if self._baseline is not None and isinstance(shown, Result):
            shown = self._baseline.applied(shown)
        tell(self._readers, lambda reader: reader.observe(shown))

    def told(self, report: Report) -> Report:
        """The whole of it, when it is over."""
        self.begin(report.target, [r.check for r in report.results])
        for result in report.results:
            self.observe(result)
        return self.finish(report)

    def finish(self, report: Report) -> Report:
        clean = cleaned(report, self._text)
        tell(self._keepers, lambda reader: reader.finish(clean))
        compared = clean if self._baseline is None else self._baseline.report(clean)
        tell(self._readers, lambda reader: reader.finish(compared))
        return compared


def tell(readers: list[Reporter], say: Callable[[Reporter], None]) -> None:
    for reader in tuple(readers):
        try:
            say(reader)
        except BrokenPipeError:  # nobody reads it any more
            readers.remove(reader)
        except Exception as e:  # noqa: BLE001 - a format that breaks must not change the verdict or the other formats
            readers.remove(reader)
            why = (e.strerror or str(e)) if isinstance(e, OSError) else f"{type(e).__name__}: {e}"
            warn(f"{reader.title} could not be written: {why}")


def audience(
    shown: Shown, *, base: Path | None = None, project: Path | None = None, sources: Sequence[Path] = ()
) -> Audience:
    """``base`` is the folder that the report's paths start from; ``project`` that of the baseline's, if another.

    Raises UsageError, before anything runs, for what could not be written, would replace one of ``sources``, or is no
    baseline.
    """
    kept = [Output("json", shown.write_baseline)] if shown.write_baseline else []
    look_at([*shown.outputs, *kept], sources)
    top = from_repository(base, Path.cwd())
    baseline = _baseline(shown.baseline, project or base or Path.cwd())
    keeper = _Document(kept[0], top, None) if kept else None
    return Audience(reporters(shown, base, baseline), baseline, keeper)


def reporters(shown: Shown, base: Path | None, baseline: Baseline | None = None) -> list[Reporter]:
    """The screens first, then the documents."""
    here, top = from_here(base, Path.cwd()), from_repository(base, Path.cwd())
    return [
        _screen(output, shown, here, baseline) if output.format == "console" else _Document(output, top, baseline)
        for output in sorted(shown.outputs, key=lambda o: o.format != "console")
    ]


def _screen(output: Output, shown: Shown, places: Places, baseline: Baseline | None) -> Reporter:
    from preflight.report.console import ConsoleReporter

    def on(to: TextIO) -> ConsoleReporter:
        return ConsoleReporter(
            to, is_verbose=shown.is_verbose, is_quiet=shown.is_quiet, places=places, baseline=baseline
        )

    return on(sys.stdout) if output.stream == 1 else _InFile(output, on)


class _InFile(Reporter):
    """The screen's text in a file."""

    def __init__(self, output: Output, screen: Callable[[TextIO], Reporter]) -> None:
        self.title, self.output, self.to = output.title, output, io.StringIO()
        self.screen = screen(self.to)

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        self.screen.begin(target, checks)

    def observe(self, event: Event) -> None:
        self.screen.observe(event)

    def finish(self, report: Report) -> None:
        self.screen.finish(report)
        write(self.output, self.to.getvalue())


class _Document(Reporter):
    """A function of the report, and of how it compares, which is written when that is whole."""

    def __init__(self, output: Output, places: Places, baseline: Baseline | None) -> None:
        self.title, self.output, self.places, self.baseline = output.title, output, places, baseline

    def finish(self, report: Report) -> None:
        module = {"json": "json_v1"}.get(self.output.format, self.output.format)
        text: Callable[[Report, Compared | None], str] = importlib.import_module(f"preflight.report.{module}").text
        write(self.output, text(self.places.report(report), self.baseline.last if self.baseline else None))


def _baseline(path: str | None, base: Path) -> Baseline | None:
    try:
        return None if path is None else read(Path(path), from_repository(base, Path.cwd()))
    except BaselineRefused as e:
        raise click.UsageError(f"--baseline: {e}") from e
