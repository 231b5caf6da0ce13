"""One run from its options to its exit code: the sandbox, the settings, the app, the engine, the reporters."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from preflight.app.lookups import BUILDER, RECIPE
from preflight.cli.running.audience import Audience, all_checks, audience
from preflight.cli.running.options import Options, wanted_outputs
from preflight.cli.running.rehearsal import Ground, Rehearsal, standing
from preflight.cli.running.stderr import redactor, warn
from preflight.cli.running.target import base_of, check_functions, every_app, resolve_app
from preflight.discover.recorder import FILLED_RECIPE
from preflight.engine.run import Limits
from preflight.engine.run import run as run_engine
from preflight.engine.select import Selection, UnknownCheck, select
from preflight.engine.several import looks_at_app
from preflight.events import Event, Priced, Progress, SpentSoFar
from preflight.interrupts import OURS
from preflight.lookups import Looked, Lookup, LookupFailed, World
from preflight.model import Exit, Report, Result, Scope, Stage, Status, Target
from preflight.remote.lookups import HERE, RESOLVED_BUILDER, WORKSPACE
from preflight.remote.modal_types import Here, Workspace
from preflight.settings import Settings
from preflight.state.ledger import Ledger
from preflight.state.receipt import Receipts


def conduct(options: Options) -> Exit:
    """Run and report.  Raises click.UsageError for what the user must put right on the command line or in a file.

    Interrupted before the first question, it reports just that, in every format that was asked for.
    """
    options = replace(options, shown=replace(options.shown, outputs=wanted_outputs(options.shown.outputs)))
    try:
        with standing(options) as ground:
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
    selection = selection_for(options, settings)
    apps: tuple[str, ...] = ()
    if options.is_for_all:
        apps = every_app(settings)
        settings, apps = (replace(settings, app=apps[0]), ()) if len(apps) == 1 else (replace(settings, app=None), apps)
    elif any(looks_at_app(check) for check in selection.chosen):
        settings = replace(settings, app=resolve_app(settings, options.app))
        check_functions(settings)
    sources = [settings.project / app for app in (settings.app, *apps) if app] + [f for f in (settings.read_from,) if f]
    heard = audience(options.shown, base=base_of(settings), project=settings.project.resolve(), sources=sources)
    return run_selection(selection, settings, options, heard, ground.rehearsal, apps)


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


def run_selection(
    selection: Selection,
    settings: Settings,
    options: Options,
    heard: Audience,
    rehearsal: Rehearsal | None = None,
    apps: tuple[str, ...] = (),
) -> Report:
    """Run the engine with SIGINT and SIGTERM as interrupts, and tell the reporters, redacted.

    ``apps`` are those of a run over several.  What it spends is written down.
    """
    environment = settings.environment or os.environ.get("MODAL_ENVIRONMENT") or None
    target = Target(app=settings.app, apps=apps, environment=environment, sandbox=settings.sandbox)
    heard.begin(target, selection.everything)
    selection = selection if rehearsal is None else rehearsal.selection(selection)
    found: dict[Lookup[Any], object] = {}
    failed: dict[str, str] = {}  # by app: a check that can't stand behind its gate

    def world_of(app: str | None) -> World:
        own = replace(settings, app=app)
        return World(
            now=datetime.now(UTC),
            settings=own if rehearsal is None else rehearsal.settings(own),
            progress=lambda name, text: heard.observe(Progress(name, text)),
            made=found.__setitem__,
            instead={RECIPE: FILLED_RECIPE} | ({} if options.stage is Stage.STATIC else {BUILDER: BUILDER_IN_FORCE}),
        )

    # READY is for the whole checklist against the real account: every step of it, none left out
    is_whole = not selection.is_named and not any(check.step for check, _ in selection.left_out)
    scope = Scope.WHOLE if is_whole else Scope.PART
    given = rehearsal.given if rehearsal is not None else lambda app: {}
    worlds = {app or "": (world_of(app), given(app)) for app in apps or (settings.app,)}
    ledgers = {} if settings.state is None else {app: Ledger(settings.state, settings.project) for app in worlds}

    def observe(event: Event) -> None:
        if isinstance(event, Priced) and ledgers:
            _keep(ledgers[event.app], event)
        heard.observe(event)

    def judge(app: str, result: Result) -> Result:
        if ledgers:
            _keep(ledgers[app], result)
        if result.status is Status.FAIL and result.check.stage is not Stage.REMOTE:  # the gate asks remote ones anew
            failed.setdefault(app, result.check.name)
        return result if rehearsal is None else rehearsal.judged(result)

    async def go() -> Report:
        task = asyncio.current_task()
        assert task is not None
        came: list[int] = []

        def interrupt(number: int) -> None:  # once: what is being ended must not be kept from ending
            if not came:
                came.append(number)
                task.cancel()

        with contextlib.suppress(NotImplementedError):  # no signal handlers on Windows' loop
            for number in OURS.numbers:
                asyncio.get_running_loop().add_signal_handler(number, interrupt, number)
        world = next(iter(worlds.values()))[0]
        report = await run_engine(
            selection,
            world,
            target=target,
            observe=observe,
            judge=judge,
            apps=worlds,
            limits=Limits(spend_max_usd=settings.spend_max, run_s=options.timeout_s, wait_s=options.wait_s),
            fail_on=options.fail_on or Status(settings.fail_on or "fail"),
            scope=scope if settings.sandbox is None else Scope.REHEARSAL,
        )
        workspace, here = found.get(WORKSPACE), found.get(HERE)  # what signing in has told about the target
        met = replace(
            target,
            workspace=workspace.name if isinstance(workspace, Workspace) else None,
            environment=environment or (here.name if isinstance(here, Here) else None),
        )
        report = replace(report, target=met)
        is_part = selection.is_named or bool(apps)  # that proves too little to be compared
        return report if is_part else await _followed(report, world, found, options.stage or Stage.PAID)

    report = asyncio.run(go())
    OURS.ignore_all()  # the verdict stands: its documents are written whole
    for app, name in failed.items():
        if settings.state is not None and app:
            with contextlib.suppress(OSError):  # then no receipt can be read either
                Receipts(settings.state, settings.project, app).void(datetime.now(UTC), f"found that {name} fails")
    for ledger in [*ledgers.values()][:1]:
        if (spent := ledger.total()) is not None:
            heard.observe(SpentSoFar(spent.usd, spent.steps, spent.since))
    return heard.finish(report)


async def _followed(report: Report, world: World, found: Mapping[Lookup[Any], object], stage: Stage) -> Report:
    """A pass is kept with what it stood on; a failure is compared with the last pass."""
    from preflight.state.follow import followed

    try:
        return await followed(report, world, found, stage, redactor().text)
    except OSError as e:
        warn(f"what this pass stood on can't be kept: {e.filename}: {e.strerror}")
        return report


async def _builder_in_force(looked: Looked) -> str | None:
    """As the settings say it, else as Modal tells it; None where it does not: the static rules look all the same."""
    told = looked.tried(RESOLVED_BUILDER)
    return looked.settings.builder or (None if isinstance(told, LookupFailed) else told or None)


BUILDER_IN_FORCE: Lookup[str | None] = Lookup(
    BUILDER.name, _builder_in_force, tries=(RESOLVED_BUILDER,), timeout_s=25.0
)


def _keep(ledger: Ledger, event: Event) -> None:
    """A ledger that can't be written costs its line, and is said; the report still counts the step."""
    try:
        ledger.observe(event)
    except OSError as e:
        warn(f"the ledger of what was spent can't be written: {e.filename}: {e.strerror}")
