"""`--sandbox`: a rehearsal of the user's own app in a world derived from it; without an app, the bundled example.

A rehearsal keeps nothing and reuses nothing.  What its world made up proves nothing about the account: a check that
found it in order is told as assumed, with what a real run still asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from preflight.app import reader
from preflight.app.find import find_apps
from preflight.app.model import Function, Recipe
from preflight.cli.running.not_run import not_run_here
from preflight.cli.running.options import Options
from preflight.cli.running.stderr import warn
from preflight.cli.running.target import every_app, project_settings, resolve_app
from preflight.discover.recorder import RECORDING, NotRecorded, RecorderBroken, record_file
from preflight.discover.recording import Recording
from preflight.engine.select import Selection
from preflight.lookups import Looked, Lookup
from preflight.model import Price, Result, Stage, Status
from preflight.settings import Settings

if TYPE_CHECKING:
    from preflight.sandbox import state
    from preflight.sandbox.serve import Sandbox

RUN_S = 60.0  # of `modal run` where the project has no smoke test of its own: enough for a body that needs no GPU
CAN_T = "this machine can't confine what an app does"
FREE = Price(Decimal(0), "nothing is billed in a rehearsal")


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a command stands on.  ``settings`` names no app yet; ``sandbox`` is None for the real account."""

    settings: Settings
    sandbox: Sandbox | None = None
    rehearsal: Rehearsal | None = None


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """``recordings`` are those of the apps, by their path in the project; ``scenario`` the fault that is laid over.

    ``modules`` are the project's own: one that a container does not find is missing on Modal, too.
    """

    world: state.Scenario
    scenario: str | None = None
    modules: frozenset[str] = frozenset()
    why_not: str = ""  # what the app does can't be confined here, so that nothing of it is run
    recordings: Mapping[str, Recording | NotRecorded] = field(default_factory=dict)
    recipes: Mapping[str, Recipe] = field(default_factory=dict)

    @property
    def assumed(self) -> str:
        from preflight.sandbox.derive import listed

        return "made up: " + ", ".join(("a Modal account", *listed(self.world)))

    def given(self, app: str | None) -> dict[Lookup[Any], object]:
        return {RECORDING: self.recordings[app]} if app is not None and app in self.recordings else {}

    def settings(self, settings: Settings) -> Settings:
        """With `modal run` as the smoke test where the project names none, and nothing that a price could stop."""
        recipe = self.recipes.get(settings.app or "")
        smoke = settings.smoke
        if smoke.command is None and recipe is not None and (words := run_words(recipe, settings)):
            smoke = replace(smoke, command=shlex.join(words), timeout_s=RUN_S)
        return replace(settings, smoke=smoke)

    def selection(self, selection: Selection) -> Selection:
        """Nothing has a price here, and code of ours on a GPU or a bucket would meet stand-ins: it is left out."""
        chosen, left_out = [], list(selection.left_out)
        for check in selection.chosen:
            if check.stage is not Stage.PAID:
                chosen.append(check)
            elif check.runs_project and self.why_not:
                left_out.append((check, f"not run here: {CAN_T} ({self.why_not}); --unconfined runs it all the same"))
            elif check.runs_project or selection.is_named or self.scenario:
                chosen.append(replace(check, price=_free))
            else:
                left_out.append((check, f"left out by the rehearsal: a real run asks whether {check.title}"))
        return replace(selection, chosen=tuple(chosen), left_out=tuple(left_out))

    def judged(self, result: Result) -> Result:
        """What rests on invented things is no pass, and what a check of the account could not decide is no unknown.

        A command that could not go on for want of what is not here proves nothing against the app.
        """
        if result.status is Status.PASS and result.check.stage is not Stage.STATIC:
            return replace(result, status=Status.SKIP, assumed=self.assumed)
        if result.status is Status.UNKNOWN and result.check.stage is Stage.REMOTE:
            reason = next((f.message for f in result.findings), result.reason)
            return replace(result, status=Status.SKIP, reason=reason, assumed=self.assumed)
        if result.status is not Status.FAIL or result.check.stage is not Stage.PAID:
            return result
        assert result.answer is not None
        why = not_run_here(result.answer, self.modules)
        if not why:
            return result
        answer = replace(result.answer, findings=())
        return replace(result, status=Status.SKIP, reason=f"not run here: {why}", answer=answer, assumed=self.assumed)


async def _free(looked: Looked) -> Price:
    return FREE


@contextlib.contextmanager
def standing(options: Options) -> Iterator[Ground]:
    """Where the command works, the real account, the sandbox's example or a rehearsal of the app: as the options say.

    This process's environment points there.
    """
    app, scenario = options.app, options.scenario
    settings_of = functools.partial(
        project_settings,
        app=app,
        environment=options.environment,
        spend_max=options.spend_max,
        is_recorded=options.is_recorded,
    )
    before = settings_of()
    if not options.is_sandbox:
        yield Ground(settings=before)
        return
    need_sandbox(scenario)
    is_named = app is not None or before.app is not None
    found = () if is_named else tuple(find_apps(before.project))
    if not is_named and (not found or (len(found) > 1 and not options.is_for_all)):
        if found:
            many = f"{len(found)} files here hold a Modal app"
            warn(f"this is the bundled example, since {many}: name one to rehearse it, or --all")
        with in_sandbox(scenario or "healthy") as sandbox:
            settings = settings_of(start=sandbox.project, scenario=sandbox.name)
            yield Ground(settings=settings, sandbox=sandbox)
        return
    apps = every_app(before) if options.is_for_all else (resolve_app(before, app),)
    rehearsal = rehearsed(before, apps, scenario, is_unconfined=options.is_unconfined)
    with in_sandbox(rehearsal.world, project=before.project) as sandbox:
        settings = settings_of()
        s3 = replace(settings.s3, endpoint=sandbox.s3_url or settings.s3.endpoint)
        settings = replace(settings, state=None, sandbox=scenario or "rehearsal", record=True, s3=s3)
        if not rehearsal.why_not:
            from preflight.sandbox.confinement import confining

            settings = replace(settings, environ=confining(sandbox, "modal", settings.environ))
        yield Ground(settings=settings, sandbox=sandbox, rehearsal=rehearsal)


def rehearsed(
    settings: Settings, apps: Sequence[str], scenario: str | None, *, is_unconfined: bool = False
) -> Rehearsal:
    """The apps as read and recorded, and the world that they need with the scenario's fault laid over it."""
    from msgspec.structs import replace as changed

    from preflight.discover.merge import filled
    from preflight.sandbox import confinement, derive, worlds

    why_not = "" if is_unconfined else confinement.why_not()
    recipes, recordings = dict[str, Recipe](), dict[str, Recording | NotRecorded]()
    for app in apps:
        recipe = recipes[app] = reader.read(settings.project / app, project=settings.project)
        if recipe.broken or why_not:
            continue
        with contextlib.suppress(RecorderBroken):
            found = recordings[app] = asyncio.run(record_file(recipe, replace(settings, app=app)))
            recipes[app] = filled(recipe, found) if isinstance(found, Recording) else recipe
    world = derive.derived([*recipes.values()], settings)
    try:
        if scenario is not None and (path := worlds.path_of(scenario)).parent != worlds.SCENARIOS:
            world = worlds.load(path)  # a world of the user's own, as `--print-world` wrote it
        elif scenario is not None:
            world = worlds.laid_over(world, worlds.load(scenario), scenario)
    except ValueError as e:
        raise click.UsageError(str(e)) from e
    container = changed(
        world.container,
        is_confined=not is_unconfined,
        project=str(settings.project.resolve()),
        python=world.container.python or confinement.interpreter_of("modal", settings.environ),
    )
    return Rehearsal(
        world=changed(world, container=container),
        scenario=scenario,
        modules=_modules(settings.project),
        recordings=recordings,
        recipes=recipes,
        why_not=why_not,
    )


def _modules(project: Path) -> frozenset[str]:
    """The names under which the project's own code can be imported from its top, or from src/."""
    found = set()
    for folder in (project, project / "src"):
        if folder.is_dir():
            found |= {p.stem for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    return frozenset(found)


def run_words(recipe: Recipe, settings: Settings) -> list[str]:
    """`modal run` of what can be called without an argument: an entrypoint first, then the planned function."""
    app = recipe.source.path
    callable_ = [f for f in recipe.functions if _needs_no_argument(f)]
    entries = [f for f in recipe.functions if f.kind == "local_entrypoint"]
    if len(entries) == 1 and entries[0] in callable_:
        return ["modal", "run", app]
    planned = settings.smoke.function or settings.budget.function
    functions = [f for f in callable_ if f.kind == "function"]
    chosen = [f for f in callable_ if f in entries] or [f for f in functions if f.name == planned] or functions
    return ["modal", "run", f"{app}::{chosen[0].name}"] if chosen else []


def _needs_no_argument(function: Function) -> bool:
    body = function.body
    if body is None or function.kind == "cls" or not hasattr(body, "args"):
        return False
    if any("endpoint" in d.name or d.name.endswith(("_app", "web_server", "batched")) for d in function.decorators):
        return False
    a = body.args
    return len(a.posonlyargs) + len(a.args) <= len(a.defaults) and None not in a.kw_defaults


def need_sandbox(scenario: str | None = None) -> None:
    """Raises click.UsageError in an install without the sandbox's packages, and for a scenario that there is not."""
    import importlib.util

    missing = [m for m in ("moto", "flask", "flask_cors") if importlib.util.find_spec(m) is None]
    if missing:
        raise click.UsageError(
            f"the sandbox needs `pip install 'modal-preflight[sandbox]'` (there is no {', '.join(missing)} here)"
        )
    from preflight.sandbox import worlds

    try:
        if scenario is not None:
            worlds.path_of(scenario)
    except ValueError as e:
        raise click.UsageError(str(e)) from e


@contextlib.contextmanager
def in_sandbox(world: str | state.Scenario, *, project: Path | None = None) -> Iterator[Sandbox]:
    """A running sandbox, with this process's environment pointing at it."""
    need_sandbox()
    from preflight.sandbox import serve

    before = dict(os.environ)
    if sys.stderr.isatty():
        click.echo("starting the sandbox: a local Modal and S3 on 127.0.0.1 …", err=True)
    with contextlib.ExitStack() as stack:
        try:
            sandbox = stack.enter_context(serve.start(world, project=project))
        except ValueError as e:
            raise click.UsageError(str(e)) from e
        except serve.SandboxFailed as e:
            raise click.ClickException(str(e)) from e
        applied = sandbox.applied(os.environ)
        try:
            os.environ.clear()
            os.environ.update(applied)
            yield sandbox
        finally:
            os.environ.clear()
            os.environ.update(before)
