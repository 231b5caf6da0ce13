"""Who hears a run: the reporters, behind the redactor; and the checks that there are to tell of."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from importlib.metadata import entry_points

from preflight.engine import builtin, index
from preflight.engine.select import Selection, in_order
from preflight.events import Event
from preflight.model import Check, Report, Result, Stage, Target
from preflight.redact import Redactor, secrets_of
from preflight.report import redacted
from preflight.report.baseline import Baseline
from preflight.report.reporter import Reporter


def all_checks(stages: Collection[Stage] = frozenset(Stage), named: Collection[str] = ()) -> tuple[Check, ...]:
    """Built-in and plugin checks of these stages, in checklist order; of the built-in ones those that are ``named``."""
    ours = builtin.checks(stages, named)
    points = entry_points(group=index.GROUP)
    if not points:
        return in_order(ours)
    from preflight.engine import plugins

    return in_order((*ours, *(c for c in plugins.checks(index.listed(), points) if c.stage in stages)))


class Audience:
    """The reporters of one run; whatever reaches them has been redacted."""

    def __init__(
        self,
        told: Sequence[Reporter],
        baseline: Baseline | None = None,
        keep: Callable[[Report], None] = lambda report: None,
    ) -> None:
        self._readers = list(told)
        self._redactor = redactor()
        self._baseline = baseline
        self._keep = keep

    def begin(self, target: Target, selection: Selection) -> None:
        self.start(target, selection.everything)

    def start(self, target: Target, checks: Sequence[Check]) -> None:
        clean = redacted.target(self._redactor, target)
        self._tell(lambda reporter: reporter.begin(clean, checks))

    def observe(self, event: Event) -> None:
        shown = redacted.event(self._redactor, event)
        if self._baseline is not None and isinstance(shown, Result):
            shown = self._baseline.applied(shown)
        self._tell(lambda reporter: reporter.observe(shown))

    def finish(self, report: Report) -> Report:
        clean = redacted.report(self._redactor, report)
        self._keep(clean)
        clean = clean if self._baseline is None else self._baseline.report(clean)
        self._tell(lambda reporter: reporter.finish(clean))
        return clean

    def _tell(self, say: Callable[[Reporter], None]) -> None:
        """A reader that has gone (a closed pipe, a full disk) costs its own output, not the verdict."""
        for reporter in tuple(self._readers):
            try:
                say(reporter)
            except OSError:
                self._readers.remove(reporter)


def redactor() -> Redactor:
    """Takes out what this process's environment holds of secrets, too."""
    return Redactor(secrets_of(os.environ))
