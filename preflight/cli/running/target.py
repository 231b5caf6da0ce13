"""What is to be checked: the project's settings with the command line on top, and the app's file.

Imports no engine, so that what needs only this starts fast.
"""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click

from preflight import settings as settings_module
from preflight.interpreter import NoInterpreter, find
from preflight.report.places import from_here
from preflight.settings import Settings, SettingsError
from preflight.wording import listed


def project_settings(
    *,
    start: Path | None = None,
    scenario: str | None = None,
    app: str | None = None,
    environment: str | None = None,
    spend_max: Decimal | None = None,
    is_recorded: bool = False,
) -> Settings:
    """The settings of the app's project, or of the one that ``start`` (else the working folder) is in.

    A sandbox's example (``scenario``) keeps nothing, since its passes prove nothing about a real app, and is a Modal
    for the client that it was tested with: preflight's own.  Raises click.UsageError.
    """
    import platformdirs

    here = start or Path.cwd()
    if app is not None and scenario is None:
        file = Path(app)
        here = file.parent if file.parent.is_dir() else Path.cwd()
    try:
        state = None if scenario is not None else platformdirs.user_state_path("preflight")
        found = settings_module.load(here, environ=dict(os.environ), state=state)
        interpreter = find(found.project, os.environ, configured=found.python)
    except SettingsError as e:
        raise click.UsageError(str(e)) from e
    except NoInterpreter as e:
        raise click.UsageError(f"{found.read_from}: tool.preflight.python: {e}") from e
    ours_first = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    path = ours_first if scenario is not None else interpreter.path
    named = environment or found.environment
    return replace(
        found,
        environment=named,
        environ={**found.environ, "PATH": path, **({"MODAL_ENVIRONMENT": named} if named else {})},
        interpreter=None if scenario is not None else interpreter,
        spend_max=found.spend_max if spend_max is None else spend_max,
        record=is_recorded or found.record,
        builder=os.environ.get("MODAL_IMAGE_BUILDER_VERSION") or found.builder,
        sandbox=scenario,
    )


def resolve_app(settings: Settings, given: str | None) -> str:
    """The app's path relative to the project.  Raises UsageError that names the candidates."""
    if given is not None:
        file, in_project = Path(given), settings.project / given
        if not file.exists() and in_project.exists():
            file = in_project
        app = _in_project(file, settings)
        _refuse_foreign(file, settings)
        return app
    if settings.app is not None:
        file = settings.project / settings.app
        if not file.is_file():
            raise click.UsageError(f"{settings.read_from}: tool.preflight.app names {settings.app}, which is not there")
        return settings.app
    from preflight.app.find import find_apps

    found = find_apps(settings.project)
    if len(found) == 1:
        return _in_project(found[0], settings)
    if not found:
        raise click.UsageError(
            f"no Modal app is in {settings.project}; name its file, or try `preflight run --sandbox` first"
        )
    names = listed([_in_project(f, settings) for f in found], most=12)
    everything = ", or take --all" if click.get_current_context().info_name == "run" else ""
    raise click.UsageError(f"{len(found)} Modal apps are in {settings.project}; name one of them{everything}: {names}")


def base_of(settings: Settings) -> Path | None:
    """Where a report's paths start; None for the example's folder, which says nothing to whoever reads a path."""
    here, project = Path.cwd().resolve(), settings.project.resolve()
    is_near = here.is_relative_to(project) or project.is_relative_to(here)
    return project if is_near or not settings.sandbox else None


def typed_here(settings: Settings, app: str) -> str:
    """An app's path in the project as somebody in the working folder would type it."""
    return from_here(base_of(settings), Path.cwd()).path(app)


def every_app(settings: Settings) -> tuple[str, ...]:
    """The paths of all apps, relative to the project.  Raises UsageError where there is none."""
    from preflight.app.find import find_apps

    found = find_apps(settings.project)
    if not found:
        raise click.UsageError(f"no Modal app is in {settings.project}; --all has nothing to take")
    return tuple(_in_project(f, settings) for f in found)


def _in_project(file: Path, settings: Settings) -> str:
    look_at(file)
    return in_project(file, settings)


def in_project(file: Path, settings: Settings) -> str:
    """Its path relative to the project; the whole of it where it stands elsewhere."""
    return below(file, settings.project) or str(file.resolve())


def below(file: Path, folder: Path) -> str | None:
    try:
        return str(file.resolve().relative_to(folder.resolve()))
    except (ValueError, OSError, RuntimeError):
        return None


def look_at(file: Path) -> None:
    """Raises UsageError for what is no file, with the name that may have been meant."""
    try:
        if file.is_file():
            return
        kind = "a folder" if file.is_dir() else "not a regular file" if file.exists() else ""
    except (OSError, RuntimeError) as e:
        raise click.UsageError(f"{file} can't be read: {e}") from e
    raise click.UsageError(
        f"{file} is {kind}; name the app's Python file" if kind else f"{file} is not there{like(file)}"
    )


def _refuse_foreign(file: Path, settings: Settings) -> None:
    """A file without Modal in it would pass every rule: none has anything to look at.  Raises UsageError."""
    try:
        content = file.read_bytes()
    except OSError as e:
        raise click.UsageError(f"{file} can't be read: {e.strerror}") from e
    if b"modal" in content:
        return
    from preflight.app import reader

    recipe = reader.read(file, project=settings.project, content=content)
    if not recipe.broken and not recipe.apps and not recipe.functions:
        raise click.UsageError(f"{file} makes no Modal app and imports none; name the file with modal.App(…)")


def like(file: Path) -> str:
    """ "; did you mean app.py?" for a name that is nearly one of the folder's."""
    try:
        names = [p.name for p in file.parent.glob("*.py")][:1000]
    except OSError:
        return ""
    found = difflib.get_close_matches(file.name, names, n=1)
    return f"; did you mean {file.with_name(found[0])}?" if found else ""


def check_functions(settings: Settings) -> None:
    """Functions that the settings name are the app's.  Raises UsageError before anything runs."""
    tables = ("budget", "smoke", "probe")
    named = {t: name for t in tables if (name := getattr(getattr(settings, t), "function", None))}
    if not named or settings.app is None:
        return
    from preflight.app import reader

    try:
        recipe = reader.read(settings.project / settings.app, project=settings.project)
    except OSError:
        return  # the run says it
    known = [f.name for f in recipe.functions]
    for table, name in named.items():
        # a name that stands in the text may be that of a function which the reader does not see
        if known and not recipe.broken and name not in known and name not in recipe.source.text:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {listed(known, most=8)}"
            raise click.UsageError(
                f"{settings.read_from}: tool.preflight.{table}.function: {settings.app} has no {name!r}; {hint}"
            )
