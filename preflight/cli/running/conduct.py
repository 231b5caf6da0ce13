"""One run from its options to its exit code: the sandbox, the settings, the app, the engine, the reporters."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click

from preflight.app.lookups import BUILDER, READING, RECIPE
from preflight.cli.running.audience import Audience, Shown, all_checks, audience
from preflight.cli.running.options import wanted_outputs
from preflight.cli.running.rehearsal import Ground, Rehearsal, standing
from preflight.cli.running.stderr import redactor, warn
from preflight.cli.running.target import base_of, check_functions, every_app, resolve_app
from preflight.discover.recorder import FILLED_RECIPE
from preflight.engine.run import Limits
from preflight.engine.run import run as run_engine
from preflight.engine.select import Selection, UnknownCheck, select
from preflight.events import Event, Progress, SpentSoFar
from preflight.interrupts import OURS
from preflight.lookups import Looked, Lookup, LookupFailed, World
from preflight.model import Check, Exit, Report, Result, Scope, Stage, Status, Target
from preflight.remote.lookups import HERE, RESOLVED_BUILDER, WORKSPACE
from preflight.remote.modal_types import Here, Workspace
from preflight.report.reporter import Reporter
from preflight.settings import Settings
from preflight.state.ledger import Ledger
from preflight.state.receipt import Receipts

Follow = Callable[[Report, World, Mapping[Lookup[Any], object]], Awaitable[Report]]


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


def conduct(options: Options) -> Exit:
    """Run and report.  Raises click.UsageError for what the user must put right on the command line or in a file.

    Interrupted before the first question, it reports just that, in every format that was asked for.
    """
    options = replace(options, shown=replace(options.shown, outputs=wanted_outputs(options.shown.outputs)))
    try:
        with standing_for(options) as ground:
            return options.shown.exit_of(_conducted(options, ground))
    except KeyboardInterrupt:
        OURS.ignore_all()
        sandbox = (options.scenario or "rehearsal") if options.is_sandbox else None
        target = Target(app=options.app, environment=options.environment, sandbox=sandbox)
        report = Report(target=target, started=datetime.now(UTC), seconds=0.0, results=(), is_interrupted=True)
        told = audience(options.shown)
        told.begin(target, ())
        return told.finish(report).exit


def _conducted(options: Options, ground: Ground) -> Report:
    settings = ground.settings
    if settings.stage and not options.only:
        options = replace(options, stage=options.stage or Stage(settings.stage))
    options = replace(options, fail_on=options.fail_on or (Status(settings.fail_on) if settings.fail_on else None))
    selection = selection_for(options, settings)
    if options.is_for_all and len(apps := every_app(settings)) > 1:
        from preflight.cli.running.every_app import run_every

        return run_every(apps, selection, settings, options, _audience(options, settings), ground.rehearsal)
    if options.is_for_all:
        settings = replace(settings, app=apps[0])
    elif any(looks_at_app(check) for check in selection.chosen):
        settings = replace(settings, app=resolve_app(settings, options.app))
        check_functions(settings)
    return run_selection(selection, settings, options, _audience(options, settings), ground.rehearsal)


def _audience(options: Options, settings: Settings) -> Audience:
    sources = [f for f in (settings.app and settings.project / settings.app, settings.read_from) if f]
    return audience(options.shown, base=base_of(settings), project=settings.project.resolve(), sources=sources)


def standing_for(options: Options) -> AbstractContextManager[Ground]:
    """The real account, the sandbox's example, or a rehearsal of the app: as the options say."""
    return standing(
        scenario=options.scenario,
        is_sandbox=options.is_sandbox,
        is_unconfined=options.is_unconfined,
        is_for_all=options.is_for_all,
        app=options.app,
        environment=options.environment,
        spend_max=options.spend_max,
        is_recorded=options.is_recorded,
    )


def selection_for(options: Options, settings: Settings) -> Selection:
    """Raises UsageError for a name that no check has, with the file when it stands in the configuration."""
    checks = all_checks(named=(*options.only, *options.skip, *settings.skip) if options.only else ())
    try:
        select(checks, skip=settings.skip)
    except UnknownCheck as e:
        raise click.UsageError(f"{settings.read_from}: tool.preflight.skip: {e}") from e
    try:
        skip = (*settings.skip, *options.skip)
        return select(checks, only=options.only, skip=skip, stage=options.stage or Stage.PAID)
    except UnknownCheck as e:
        raise click.UsageError(str(e)) from e


def looks_at_app(check: Check) -> bool:
    """Whether it can't do without the app's file, or would use it."""
    return _reaches((*check.needs, *check.tries), READING)


def _reaches(keys: Sequence[Lookup[Any]], wanted: Lookup[Any]) -> bool:
    return any(k is wanted or _reaches((*k.needs, *k.tries), wanted) for k in keys)


def target_of(settings: Settings) -> Target:
    environment = settings.environment or os.environ.get("MODAL_ENVIRONMENT") or None
    return Target(app=settings.app, environment=environment, sandbox=settings.sandbox)


def run_selection(
    selection: Selection,
    settings: Settings,
    options: Options,
    told: Audience | Sequence[Reporter],
    rehearsal: Rehearsal | None = None,
) -> Report:
    """Run the engine with SIGINT and SIGTERM as interrupts, and tell the reporters, redacted."""
    heard = told if isinstance(told, Audience) else Audience(told)
    heard.begin(target_of(settings), selection.everything)
    follow = None if selection.is_named else _followed(options)  # a part of the checklist proves too little
    return heard.finish(engine_report(selection, settings, options, heard.observe, follow, rehearsal))


def _followed(options: Options) -> Follow:
    """A pass is kept with what it stood on; a failure is compared with the last pass."""
    from preflight.state.follow import followed

    async def follow(report: Report, world: World, found: Mapping[Lookup[Any], object]) -> Report:
        try:
            return await followed(report, world, found, options.stage or Stage.PAID, redactor().text)
        except OSError as e:
            warn(f"what this pass stood on can't be kept: {e.filename}: {e.strerror}")
            return report

    return follow


def engine_report(
    selection: Selection,
    settings: Settings,
    options: Options,
    observe: Callable[[Event], None],
    follow: Follow | None = None,
    rehearsal: Rehearsal | None = None,
) -> Report:
    """What the engine found and ``follow`` made of it, not yet redacted; SIGINT and SIGTERM interrupt it.

    What it spends is written down.
    """
    ledger = None if settings.state is None else Ledger(settings.state, settings.project)

    if rehearsal is not None:
        settings = rehearsal.settings(settings)
        selection = rehearsal.selection(selection)

    def keep(event: Event) -> None:
        if ledger is not None:
            _keep(ledger, event)
        observe(rehearsal.judged(event) if rehearsal is not None and isinstance(event, Result) else event)

    found: dict[Lookup[Any], object] = {}
    world = World(
        now=datetime.now(UTC),
        settings=settings,
        progress=lambda name, text: observe(Progress(name, text)),
        made=found.__setitem__,
        instead={RECIPE: FILLED_RECIPE} | ({} if options.stage is Stage.STATIC else {BUILDER: BUILDER_IN_FORCE}),
    )
    limits = Limits(spend_max_usd=settings.spend_max, run_s=options.timeout_s, wait_s=options.wait_s)

    async def go() -> Report:
        task = asyncio.current_task()
        assert task is not None
        told: list[int] = []

        def interrupt(number: int) -> None:  # once: what is being ended must not be kept from ending
            if not told:
                told.append(number)
                task.cancel()

        with contextlib.suppress(NotImplementedError):  # no signal handlers on Windows' loop
            for number in OURS.numbers:
                asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
        report = await run_engine(
            selection,
            world,
            target=target_of(settings),
            observe=keep,
            given=rehearsal.given(settings.app) if rehearsal is not None else None,
            limits=limits,
            fail_on=options.fail_on or Status.FAIL,
            scope=scope_of(selection, settings),
            assumed=rehearsal.assumed if rehearsal is not None else "",
        )
        report = report if rehearsal is None else rehearsal.report(report)
        report = _with_workspace(report, found)
        return report if follow is None else await follow(report, world, found)

    report = asyncio.run(go())
    OURS.ignore_all()  # the verdict stands: its documents are written whole
    _void_passes(report, settings)
    spent = None if ledger is None else ledger.total()
    if spent is not None:
        observe(SpentSoFar(spent.usd, spent.steps, spent.since))
    return report


@contextlib.asynccontextmanager
async def _builder_in_force(looked: Looked) -> AsyncIterator[str | None]:
    """As the settings say it, else as Modal tells it; None where it does not: the static rules look all the same."""
    told = looked.tried(RESOLVED_BUILDER)
    yield looked.settings.builder or (None if isinstance(told, LookupFailed) else told or None)


BUILDER_IN_FORCE: Lookup[str | None] = Lookup(
    BUILDER.name, _builder_in_force, tries=(RESOLVED_BUILDER,), timeout_s=25.0
)


def _keep(ledger: Ledger, event: Event) -> None:
    """A ledger that can't be written costs its line, and is said; the report still counts the step."""
    try:
        ledger.observe(event)
    except OSError as e:
        warn(f"the ledger of what was spent can't be written: {e.filename}: {e.strerror}")


def _void_passes(report: Report, settings: Settings) -> None:
    """What has failed here can't stand behind the gate.  Remote questions are asked again there each time."""
    bad = [r.check for r in report.results if r.status is Status.FAIL and r.check.stage is not Stage.REMOTE]
    if not bad or settings.state is None or settings.app is None:
        return
    receipts = Receipts(settings.state, settings.project, settings.app)
    with contextlib.suppress(OSError):  # then no receipt can be read either
        receipts.void(datetime.now(UTC), f"found that {bad[0].name} fails")


def _with_workspace(report: Report, found: Mapping[Lookup[Any], object]) -> Report:
    """The report with what signing in has told about the target."""
    workspace, environment = found.get(WORKSPACE), found.get(HERE)
    target = replace(
        report.target,
        workspace=workspace.name if isinstance(workspace, Workspace) else None,
        environment=report.target.environment or (environment.name if isinstance(environment, Here) else None),
    )
    return replace(report, target=target)


def scope_of(selection: Selection, settings: Settings) -> Scope:
    """READY is for the whole checklist against the real account: every step of it, none left out."""
    if settings.sandbox is not None:
        return Scope.REHEARSAL
    is_whole = not selection.is_named and not any(check.step for check, _ in selection.left_out)
    return Scope.WHOLE if is_whole else Scope.PART
