"""`preflight run --all`: every Modal app of the project, told as one report.

What does not look at an app is asked once.  All free checks of all apps come before anything that costs: one of them
failing keeps money from being spent, whichever app it was for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from preflight.cli.running.audience import Audience
from preflight.cli.running.conduct import Options, engine_report, looks_at_app, scope_of, target_of
from preflight.cli.running.rehearsal import Rehearsal
from preflight.engine.select import Selection, in_order
from preflight.engine.several import together
from preflight.events import Event, Priced, Progress, SpentSoFar, Waiting
from preflight.model import UNANSWERED, Check, Report, Result, Stage, Status, Target
from preflight.settings import Settings

NOTHING = Decimal(0)
SHORTEST_S = 0.01  # of a run whose limit is over: its checks are told so


def run_every(
    apps: tuple[str, ...],
    selection: Selection,
    settings: Settings,
    options: Options,
    audience: Audience,
    rehearsal: Rehearsal | None = None,
) -> Report:
    """The one report of all apps, told to the audience.  A Ctrl-C ends the app under way and starts no other."""
    target = replace(target_of(replace(settings, app=None)), apps=apps)
    audience.begin(target, selection.everything)
    run = _Every(selection, settings, options, audience, rehearsal)
    for stages in ((Stage.STATIC, Stage.REMOTE), (Stage.PAID,)):
        for app in apps:
            run.ask(app, stages)
    report = run.report(target)
    for result in report.results:
        audience.observe(result)
    return audience.finish(report)


class _Every:
    def __init__(
        self,
        selection: Selection,
        settings: Settings,
        options: Options,
        audience: Audience,
        rehearsal: Rehearsal | None,
    ) -> None:
        self.selection = selection
        self.settings = settings
        self.options = options
        self.audience = audience
        self.rehearsal = rehearsal
        self.began, self.clock = datetime.now(UTC), time.monotonic()
        self.told: dict[str, list[tuple[str, Result]]] = {}
        self.is_interrupted = False
        self.met = Target()

    def ask(self, app: str, stages: Sequence[Stage]) -> None:
        """The checks of these stages for one app; what has been asked and looks at no app is left out."""
        chosen = tuple(
            c for c in self.selection.chosen if c.stage in stages and (looks_at_app(c) or c.id not in self.told)
        )
        if self.is_interrupted or not chosen:
            self._keep(app, [_unasked(c, Status.ERROR, "interrupted before it could answer") for c in chosen])
            return
        stopper = self._stopper()
        if Stage.PAID in stages and stopper and not self.selection.is_named:
            self._keep(app, [_unasked(c, Status.SKIP, f"not started: {stopper}") for c in chosen])
            return
        spent = sum((r.spent_usd for results in self.told.values() for _, r in results), NOTHING)
        settings = replace(self.settings, app=app, spend_max=max(self.settings.spend_max - spent, NOTHING))
        left_s = self.options.timeout_s and max(SHORTEST_S, self.options.timeout_s - (time.monotonic() - self.clock))
        self.audience.observe(Progress(app, "looking at it"))
        options = replace(self.options, timeout_s=left_s)
        only = Selection(chosen, is_named=self.selection.is_named)
        report = engine_report(only, settings, options, self._observe, rehearsal=self.rehearsal)
        self.is_interrupted, self.met = report.is_interrupted, report.target
        self._keep(app, report.results)

    def _observe(self, event: Event) -> None:
        """Results wait until every app has theirs; what is under way is told at once."""
        if isinstance(event, Progress | Priced | SpentSoFar | Waiting):
            self.audience.observe(event)

    def _keep(self, app: str, results: Sequence[Result]) -> None:
        for result in results:
            self.told.setdefault(result.check.id, []).append((app, result))

    def _stopper(self) -> str:
        """What a free check of any app found that keeps money from being spent."""
        bad = {Status.FAIL, *UNANSWERED} | ({Status.WARN} if self.options.fail_on is Status.WARN else set())
        names = [r.check.name for results in self.told.values() for _, r in results if r.status in bad]
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{names[0]} must be right first{more}" if names else ""

    def report(self, target: Target) -> Report:
        left_out = [_unasked(check, Status.SKIP, reason) for check, reason in self.selection.left_out]
        told = {c: self.told[c.id] for c in self.selection.chosen}
        merged = [together(c, by_app) if looks_at_app(c) else by_app[0][1] for c, by_app in told.items()]
        by_id = {r.check.id: r for r in (*left_out, *merged)}
        return Report(
            target=replace(
                target, workspace=self.met.workspace, environment=target.environment or self.met.environment
            ),
            started=self.began,
            seconds=time.monotonic() - self.clock,
            results=tuple(by_id[c.id] for c in in_order([r.check for r in by_id.values()])),
            fail_on=self.options.fail_on or Status.FAIL,
            is_interrupted=self.is_interrupted,
            scope=scope_of(self.selection, self.settings),
        )


def _unasked(check: Check, status: Status, reason: str) -> Result:
    return Result(check=check, status=status, seconds=0.0, reason=reason)
