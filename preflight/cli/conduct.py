"""One run from its options to its exit code: the sandbox, the settings, the app, the engine, the reporters."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from preflight import settings as settings_module
from preflight.cli.options import Output, reporters
from preflight.engine import builtin, plugins
from preflight.engine.events import Event, Progress
from preflight.engine.run import Limits
from preflight.engine.run import run as run_engine
from preflight.engine.select import Selection, UnknownCheck, in_order, select
from preflight.history.follow import followed
from preflight.lookups import Lookup, World
from preflight.model import Check, Exit, Report, Stage, Status, Target
from preflight.recipe.reading import READING
from preflight.redact import Redactor, secrets_of
from preflight.report import redacted
from preflight.report.reporter import Reporter
from preflight.settings import Settings, SettingsError

Follow = Callable[[Report, World, Mapping[Lookup[Any], object]], Awaitable[Report]]


@dataclass(frozen=True, kw_only=True)
class Options:
    """A run as the command line asked for it."""

    app: str | None = None
    sandbox: str | None = None
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


def all_checks() -> tuple[Check, ...]:
    """Built-in and plugin checks, in checklist order."""
    ours = builtin.checks()
    return in_order((*ours, *plugins.checks(ours)))


def conduct(options: Options) -> Exit:
    """Run and report.  Raises click.UsageError for what the user must put right on the command line or in a file."""
    with sandboxed(options.sandbox) as (project, scenario):
        settings = settings_for(options, start=project, scenario=scenario)
        selection = selection_for(options, settings)
        if options.is_for_all and len(apps := every_app(settings)) > 1:
            from preflight.cli.every_app import run_every

            with reporters(options.outputs, is_verbose=options.is_verbose) as told:
                return run_every(apps, selection, settings, options, Audience(told)).exit
        if options.is_for_all:
            settings = replace(settings, app=apps[0])
        elif asks_for_app(selection):
            settings = replace(settings, app=resolve_app(settings, options.app))
        with reporters(options.outputs, is_verbose=options.is_verbose) as told:
            report = run_selection(selection, settings, options, told)
    return report.exit


def selection_for(options: Options, settings: Settings) -> Selection:
    """Raises UsageError for a name that no check has, with the file when it stands in the configuration."""
    checks = all_checks()
    try:
        select(checks, skip=settings.skip)
    except UnknownCheck as e:
        raise click.UsageError(f"{settings.read_from}: tool.preflight.skip: {e}") from e
    try:
        return select(checks, only=options.only, skip=(*settings.skip, *options.skip), stage=options.stage)
    except UnknownCheck as e:
        raise click.UsageError(str(e)) from e


@contextlib.contextmanager
def sandboxed(scenario: str | None) -> Iterator[tuple[Path, str | None]]:
    """The folder to work in and the scenario's name, with this process's environment pointing at the sandbox."""
    if scenario is None:
        yield Path.cwd(), None
        return
    try:
        from preflight.sandbox import serve, state
    except ImportError as e:
        raise click.UsageError(f"the sandbox needs `pip install 'modal-preflight[sandbox]'` ({e})") from e
    before = dict(os.environ)
    if sys.stderr.isatty():
        click.echo("starting the sandbox: a local Modal and S3 on 127.0.0.1 …", err=True)
    try:
        with serve.start(scenario) as sandbox:
            applied = sandbox.applied(os.environ)
            os.environ.clear()
            os.environ.update(applied)
            yield sandbox.project, sandbox.name
    except (state.ScenarioNotFound, ValueError) as e:
        raise click.UsageError(str(e)) from e
    except serve.SandboxFailed as e:
        raise click.ClickException(str(e)) from e
    finally:
        os.environ.clear()
        os.environ.update(before)


def settings_for(options: Options, *, start: Path, scenario: str | None) -> Settings:
    """The project's settings with the command line on top."""
    here = start
    if options.app is not None and scenario is None:
        file = Path(options.app)
        here = file.parent if file.parent.is_dir() else Path.cwd()
    try:
        found = settings_module.load(here, environ=_environ(), state=_state(scenario))
    except SettingsError as e:
        raise click.UsageError(str(e)) from e
    return replace(
        found,
        environment=options.environment or found.environment,
        spend_max=found.spend_max if options.spend_max is None else options.spend_max,
        record=options.record or found.record,
        builder=os.environ.get("MODAL_IMAGE_BUILDER_VERSION") or None,
        sandbox=scenario,
    )


def _environ() -> dict[str, str]:
    """Our environment, with the `modal` and `python` beside our own interpreter first on the path."""
    beside = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])}


def _state(scenario: str | None) -> Path | None:
    """Where passes and logs are kept.  A sandbox keeps nothing: its passes prove nothing about a real app."""
    if scenario is not None:
        return None
    import platformdirs

    return platformdirs.user_state_path("preflight")


def asks_for_app(selection: Selection) -> bool:
    """Whether some chosen check can't do without the app's file, or would use it."""
    return any(looks_at_app(check) for check in selection.chosen)


def looks_at_app(check: Check) -> bool:
    return _reaches((*check.needs, *check.tries), READING)


def _reaches(keys: Sequence[Lookup[Any]], wanted: Lookup[Any]) -> bool:
    return any(k is wanted or _reaches((*k.needs, *k.tries), wanted) for k in keys)


def resolve_app(settings: Settings, given: str | None) -> str:
    """The app's path relative to the project.  Raises UsageError that names the candidates."""
    if given is not None:
        file = Path(given) if Path(given).exists() else settings.project / given
        app = _in_project(file, settings)
        _refuse_foreign(file, settings)
        return app
    if settings.app is not None:
        file = settings.project / settings.app
        if not file.is_file():
            raise click.UsageError(f"{settings.read_from}: tool.preflight.app names {settings.app}, which is not there")
        return settings.app
    from preflight.recipe.find import find_apps

    found = find_apps(settings.project)
    if len(found) == 1:
        return _in_project(found[0], settings)
    if not found:
        raise click.UsageError(
            f"no Modal app is in {settings.project}; name its file, or try `preflight run --sandbox` first"
        )
    names = "\n  ".join(_in_project(f, settings) for f in found)
    raise click.UsageError(
        f"{len(found)} Modal apps are in {settings.project}; name one of them, or take --all:\n  {names}"
    )


def every_app(settings: Settings) -> tuple[str, ...]:
    """The paths of all apps, relative to the project.  Raises UsageError where there is none."""
    from preflight.recipe.find import find_apps

    found = find_apps(settings.project)
    if not found:
        raise click.UsageError(f"no Modal app is in {settings.project}; --all has nothing to take")
    return tuple(_in_project(f, settings) for f in found)


def _in_project(file: Path, settings: Settings) -> str:
    if file.is_dir():
        raise click.UsageError(f"{file} is a folder; name the app's Python file")
    if not file.is_file():
        raise click.UsageError(f"{file} is not there")
    try:
        return str(file.resolve().relative_to(settings.project.resolve()))
    except ValueError:
        return str(file.resolve())


def _refuse_foreign(file: Path, settings: Settings) -> None:
    """A file without Modal in it would pass every rule: none has anything to look at.  Raises UsageError."""
    from preflight.recipe import parse

    try:
        content = file.read_bytes()
    except OSError as e:
        raise click.UsageError(f"{file} can't be read: {e.strerror}") from e
    if b"modal" in content:
        return
    recipe = parse.read(file, project=settings.project, content=content)
    if not recipe.broken and not recipe.apps and not recipe.functions:
        raise click.UsageError(f"{file} makes no Modal app and imports none; name the file with modal.App(…)")


class Audience:
    """The reporters of one run; whatever reaches them has been redacted."""

    def __init__(self, told: Sequence[Reporter]) -> None:
        self._readers = list(told)
        self._redactor = redactor()

    def begin(self, target: Target, selection: Selection) -> None:
        shown = (*selection.chosen, *(c for c, _ in selection.left_out))
        self._tell(lambda reporter: reporter.begin(target, shown))

    def observe(self, event: Event) -> None:
        shown = redacted.event(self._redactor, event)
        self._tell(lambda reporter: reporter.observe(shown))

    def finish(self, report: Report) -> Report:
        clean = redacted.report(self._redactor, _with_workspace(report))
        self._tell(lambda reporter: reporter.finish(clean))
        return clean

    def _tell(self, say: Callable[[Reporter], None]) -> None:
        """A reader that has gone (a closed pipe) costs its own output, not the run, the others or the verdict."""
        for reporter in tuple(self._readers):
            try:
                say(reporter)
            except BrokenPipeError:
                self._readers.remove(reporter)


def target_of(settings: Settings) -> Target:
    environment = settings.environment or os.environ.get("MODAL_ENVIRONMENT") or None
    return Target(app=settings.app, environment=environment, sandbox=settings.sandbox)


def run_selection(selection: Selection, settings: Settings, options: Options, told: Sequence[Reporter]) -> Report:
    """Run the engine with SIGINT and SIGTERM as interrupts, and tell the reporters, redacted."""
    audience = Audience(told)
    audience.begin(target_of(settings), selection)
    follow = None if selection.is_named else _followed(options)  # a part of the checklist proves too little
    return audience.finish(engine_report(selection, settings, options, audience.observe, follow))


def _followed(options: Options) -> Follow:
    """A pass is kept with what it stood on; a failure is compared with the last pass."""

    async def follow(report: Report, world: World, found: Mapping[Lookup[Any], object]) -> Report:
        try:
            return await followed(report, world, found, options.stage, redactor().text)
        except OSError as e:
            click.echo(f"what this pass stood on can't be kept: {e}", err=True)
            return report

    return follow


def engine_report(
    selection: Selection,
    settings: Settings,
    options: Options,
    observe: Callable[[Event], None],
    follow: Follow | None = None,
) -> Report:
    """What the engine found and ``follow`` made of it, not yet redacted; SIGINT and SIGTERM interrupt it."""
    found: dict[Lookup[Any], object] = {}
    world = World(
        now=datetime.now(UTC),
        settings=settings,
        progress=lambda name, text: observe(Progress(name, text)),
        made=found.__setitem__,
    )
    limits = Limits(spend_max_usd=settings.spend_max, run_s=options.timeout_s, wait_s=options.wait_s)

    async def go() -> Report:
        task = asyncio.current_task()
        assert task is not None
        with contextlib.suppress(NotImplementedError):  # no signal handlers on Windows' loop
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        report = await run_engine(
            selection, world, target=target_of(settings), observe=observe, limits=limits, fail_on=options.fail_on
        )
        return report if follow is None else await follow(report, world, found)

    return asyncio.run(go())


def _with_workspace(report: Report) -> Report:
    """The report with what signing in has told about the target."""
    seen = next((r.answer.seen for r in report.results if r.check.id == "MOD001" and r.answer), {})
    target = replace(
        report.target,
        workspace=seen.get("workspace"),
        environment=report.target.environment or seen.get("environment"),
    )
    return replace(report, target=target)


def redactor() -> Redactor:
    """Takes out what this process's environment holds of secrets, too."""
    return Redactor(secrets_of(os.environ))
