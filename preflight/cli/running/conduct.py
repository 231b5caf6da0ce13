"""One run from its options to its exit code: the sandbox, the settings, the app, the engine, the reporters."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import click

from preflight.app.lookups import BUILDER, READING, RECIPE
from preflight.cli.running.audience import Audience, all_checks, redactor
from preflight.cli.running.options import keep_baseline, read_baseline, reporters
from preflight.cli.running.outputs import Output
from preflight.cli.running.rehearsal import Ground, Rehearsal, standing
from preflight.cli.running.stderr import warn
from preflight.cli.running.target import check_functions, every_app, project_settings
from preflight.cli.running.target import resolve_app as resolve_app
from preflight.discover.lookups import FILLED_RECIPE
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
    stage: Stage = Stage.PAID
    spend_max: Decimal | None = None
    wait_s: float = 0.0
    timeout_s: float | None = None
    fail_on: Status = Status.FAIL
    environment: str | None = None
    record: bool = False
    is_for_all: bool = False  # every app of the project
    outputs: tuple[Output, ...] = (Output("console"),)
    is_verbose: bool = False
    is_quiet: bool = False
    baseline: str | None = None
    write_baseline: str | None = None
    is_exit_zero: bool = False
    given: frozenset[str] = frozenset()  # names of what was typed; the settings say the rest


def conduct(options: Options) -> Exit:
    """Run and report.  Raises click.UsageError for what the user must put right on the command line or in a file.

    Interrupted before the first question, it reports just that, in every format that was asked for.
    """
    try:
        return _conducted(options)
    except KeyboardInterrupt:
        OURS.ignore_all()
        sandbox = (options.scenario or "rehearsal") if options.is_sandbox else None
        target = Target(app=options.app, environment=options.environment, sandbox=sandbox)
        report = Report(target=target, started=datetime.now(UTC), seconds=0.0, results=(), is_interrupted=True)
        with reporters(options.outputs, is_verbose=options.is_verbose) as told:
            audience = Audience(told)
            audience.begin(target, Selection(()))
            audience.finish(report)
        return report.exit


def _conducted(options: Options) -> Exit:
    with standing_for(options) as ground:
        settings = ground.settings
        options = with_settings(options, settings)
        selection = selection_for(options, settings)
        if options.is_for_all and len(apps := every_app(settings)) > 1:
            from preflight.cli.running.every_app import run_every

            with audience_of(options, settings) as audience:
                report = run_every(apps, selection, settings, options, audience, ground.rehearsal)
                return _exit_of(report, options)
        if options.is_for_all:
            settings = replace(settings, app=apps[0])
        elif asks_for_app(selection):
            settings = replace(settings, app=resolve_app(settings, options.app))
            check_functions(settings)
        with audience_of(options, settings) as audience:
            report = run_selection(selection, settings, options, audience, ground.rehearsal)
            return _exit_of(report, options)


def _exit_of(report: Report, options: Options) -> Exit:
    return Exit.READY if options.is_exit_zero and report.exit is Exit.FINDINGS else report.exit


def with_settings(options: Options, settings: Settings) -> Options:
    """What was not typed is as the settings say."""
    if settings.fail_on and "fail_on" not in options.given:
        options = replace(options, fail_on=Status(settings.fail_on))
    if settings.stage and "stage" not in options.given and not options.only:
        options = replace(options, stage=Stage(settings.stage))
    return options


@contextlib.contextmanager
def audience_of(options: Options, settings: Settings) -> Iterator[Audience]:
    """Raises UsageError for an output or a baseline that will not do."""
    here, project = Path.cwd().resolve(), settings.project.resolve()
    is_elsewhere = settings.sandbox and not (here.is_relative_to(project) or project.is_relative_to(here))
    base = None if is_elsewhere else project  # the example's folder says nothing to whoever reads a path
    baseline = read_baseline(options.baseline, project)
    sources = [f for f in (settings.app and settings.project / settings.app, settings.read_from) if f]
    with reporters(
        options.outputs,
        is_verbose=options.is_verbose,
        is_quiet=options.is_quiet,
        base=base,
        sources=sources,
        also=[Output("json", options.write_baseline)] if options.write_baseline else [],
        baseline=baseline,
    ) as told:
        yield Audience(told, baseline, partial(keep_baseline, options.write_baseline, base))


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
        is_recorded=options.record,
    )


def selection_for(options: Options, settings: Settings) -> Selection:
    """Raises UsageError for a name that no check has, with the file when it stands in the configuration."""
    checks = all_checks(named=(*options.only, *options.skip, *settings.skip) if options.only else ())
    try:
        select(checks, skip=settings.skip)
    except UnknownCheck as e:
        raise click.UsageError(f"{settings.read_from}: tool.preflight.skip: {e}") from e
    try:
        return select(checks, only=options.only, skip=(*settings.skip, *options.skip), stage=options.stage)
    except UnknownCheck as e:
        raise click.UsageError(str(e)) from e


def settings_for(options: Options, *, start: Path, scenario: str | None) -> Settings:
    """The project's settings with the command line on top."""
    return project_settings(
        start=start,
        scenario=scenario,
        app=options.app,
        environment=options.environment,
        spend_max=options.spend_max,
        is_recorded=options.record,
    )


def asks_for_app(selection: Selection) -> bool:
    """Whether some chosen check can't do without the app's file, or would use it."""
    return any(looks_at_app(check) for check in selection.chosen)


def looks_at_app(check: Check) -> bool:
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
    audience = told if isinstance(told, Audience) else Audience(told)
    audience.begin(target_of(settings), selection)
    follow = None if selection.is_named else _followed(options)  # a part of the checklist proves too little
    return audience.finish(engine_report(selection, settings, options, audience.observe, follow, rehearsal))


def _followed(options: Options) -> Follow:
    """A pass is kept with what it stood on; a failure is compared with the last pass."""
    from preflight.state.follow import followed

    async def follow(report: Report, world: World, found: Mapping[Lookup[Any], object]) -> Report:
        try:
            return await followed(report, world, found, options.stage, redactor().text)
        except OSError as e:
            warn(f"what this pass stood on can't be kept: {e}")
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
            fail_on=options.fail_on,
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
        warn(f"the ledger of what was spent can't be written: {e}")


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
