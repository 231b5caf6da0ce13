"""`preflight lint`."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from preflight.cli.running.audience import Shown, all_checks, audience
from preflight.cli.running.options import fail_on_option, ids_option, near, shown_options, wanted_outputs
from preflight.cli.running.stderr import redactor, warn
from preflight.model import Check, Exit, Report, Result, Scope, Stage, Status, Target
from preflight.settings import BUILDER_VERSION, Settings
from preflight.wording import counted

if TYPE_CHECKING:
    from preflight.app.model import Recipe
    from preflight.engine.folder import ToLint

STDIN = "-"
NOTEBOOK = "is a notebook; write it out first: jupyter nbconvert --to script"
NOTHING_OF_MODAL = "makes nothing of Modal: no App, function, image, secret or volume"
COLLECTED_AFTER = 64  # files
MOST_MISNAMED = 5  # ignores of one file that are told of one by one


def parse_builder(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """An option callback: an image builder version that there is, such as 2025.06."""
    if value is None:
        return None
    if not BUILDER_VERSION.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not a version; wanted like 2025.06")
    from preflight.facts.images import builders

    known = [b.version for b in builders()]
    if value not in known:
        hint = near(value, known) or f"; there are {', '.join(known)}"
        raise click.BadParameter(f"there is no Image Builder {value}{hint}")
    return value


@click.command("lint")
@click.argument("apps", nargs=-1, metavar="[APP]...")
@click.option("--fix", "fix", is_flag=True, help="Apply the safe fixes.")
@click.option("--diff", "diff", is_flag=True, help="Print what --fix changes; without --fix, change nothing.")
@click.option("--unsafe-fixes", "unsafe", is_flag=True, help="Also the fixes that may change what the app does.")
@click.option("--all", "is_for_all", is_flag=True, help="Every file of the project that imports modal.")
@ids_option("--only", help="Only these rules: ids or names, by comma or repeated.")
@ids_option("--skip", help="Without these rules.")
@fail_on_option
@click.option("--builder", metavar="VERSION", callback=parse_builder, help="The Image Builder in force, like 2025.06.")
@click.option("--pass-others", is_flag=True, help="Pass over files without Modal, in silence (for hooks).")
@click.option("--stdin-filename", metavar="NAME", default="stdin.py", help="What `-` is called.", show_default=True)
@shown_options
def lint_command(
    apps: tuple[str, ...],
    fix: bool,
    diff: bool,
    unsafe: bool,
    is_for_all: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    fail_on: Status | None,
    builder: str | None,
    pass_others: bool,
    stdin_filename: str,
    shown: Shown,
) -> int:
    """Check app files with the static rules alone: no account, no network, nothing that costs.

    APP are files, or folders whose Python files that import modal are taken; `-` is standard input.  Without any: the
    project's app.
    """
    if unsafe and not (fix or diff):
        raise click.UsageError("--unsafe-fixes belongs to --fix or --diff")
    if diff and any(o.stream == 1 for o in shown.outputs):
        raise click.UsageError("stdout holds the diff; give the report a file, such as -o json=report.json")
    if is_for_all and apps:
        raise click.UsageError("--all takes every file of the project; leave out the names, or --all")
    if STDIN in apps and (len(apps) > 1 or fix or diff):
        raise click.UsageError("`-` stands alone, without --fix or --diff")
    found = _files(apps, builder, is_for_all=is_for_all, stdin_filename=stdin_filename)
    files, others = _with_modal(found)
    if not files:
        return _nothing(others, is_silent=pass_others)
    from preflight.engine.files import static_rules

    rules = static_rules(all_checks({Stage.STATIC}))
    kept = {f.settings.project: _kept(rules, f.settings, only, skip) for f in files}
    failing = fail_on or Status(next((f.settings.fail_on for f in files if f.settings.fail_on), "fail"))
    shown = shown if diff else replace(shown, outputs=wanted_outputs(shown.outputs))
    heard = audience(shown, base=Path.cwd(), sources=[f.file for f in files if f.content is None])
    fixing = functools.partial(_fix, is_written=fix, is_shown=diff, is_unsafe_allowed=unsafe) if fix or diff else None
    report = asyncio.run(_lint(files, kept, fixing, others, failing, {n for r in rules for n in (r.id, r.name)}))
    if not report.results:
        return _nothing(others, is_silent=pass_others)
    if not pass_others:
        passed_over = tuple(f"{path} {why}" for path, why in others.items())
        report = replace(report, target=replace(report.target, passed_over=passed_over))
    return shown.exit_of(heard.told(report))


def _files(apps: Sequence[str], builder: str | None, *, is_for_all: bool, stdin_filename: str) -> list[ToLint]:
    """Each file with its project's settings.  Raises UsageError for what is not there."""
    from preflight.cli.running.target import below, in_project, look_at, project_settings, resolve_app
    from preflight.engine.folder import ToLint, TooManyFiles, python_files
    from preflight.settings import find_project

    @functools.cache
    def settings_of(folder: Path) -> Settings:
        found = project_settings(start=folder)
        return replace(found, builder=builder or found.builder)

    def typed_here(path: Path) -> Path:
        return Path(below(path, Path.cwd()) or path)

    paths: dict[Path, bytes | None] = {}
    if STDIN in apps:
        paths[Path(stdin_filename)] = sys.stdin.buffer.read()
        apps = ()
    elif is_for_all:
        apps = (str(find_project(Path.cwd()) or Path.cwd()),)
    elif not apps:
        settings = project_settings()
        paths[typed_here(settings.project / resolve_app(settings, None))] = None
    for app in apps:
        path = Path(app)
        if path.is_dir():
            try:
                inside = list(python_files(path))
            except TooManyFiles as e:
                raise click.UsageError(str(e)) from e
            if not inside:
                raise click.UsageError(f"no Python file below {path} imports modal")
            paths.update(dict.fromkeys(map(typed_here, inside)))
        else:
            look_at(path)
            if path.suffix == ".ipynb":
                raise click.UsageError(f"{path} {NOTEBOOK}")
            paths[path] = None
    files = []
    for path, content in paths.items():
        settings = settings_of(find_project(path.parent) or path.parent.resolve())
        files.append(ToLint(path, replace(settings, app=in_project(path, settings)), content))
    return files


def _nothing(others: dict[Path, str], *, is_silent: bool) -> Exit:
    """Raises UsageError, unless files that make nothing of Modal are passed over in silence."""
    if not is_silent:
        more = f"; neither do {counted(len(others) - 1, 'other file')}" if len(others) > 1 else ""
        path, why = next(iter(others.items()))
        raise click.UsageError(f"{path} {why}{more}")
    return Exit.READY


def _with_modal(files: Sequence[ToLint]) -> tuple[list[ToLint], dict[Path, str]]:
    """Those that may make something of Modal's, and the others with the reason: known before any rule is loaded."""
    from preflight.app.find import LONGEST_BYTES, content_of

    kept: list[ToLint] = []
    others: dict[Path, str] = {}
    for file in files:
        try:
            content = content_of(file.file, LONGEST_BYTES) if file.content is None else file.content
        except OSError:
            content = b"modal"  # the report says so
        if file.file.suffix == ".ipynb":
            others[file.file] = NOTEBOOK
        elif b"modal" in content or (file.file.suffix in (".py", "") and not _parses(content)):
            kept.append(file)
        else:
            others[file.file] = NOTHING_OF_MODAL
    return kept, others


def _parses(content: bytes) -> bool:
    import ast

    try:
        ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


async def _lint(
    files: Sequence[ToLint],
    kept: dict[Path, tuple[Check, ...]],
    fixing: Callable[[ToLint, Sequence[Check]], Awaitable[None]] | None,
    others: dict[Path, str],
    fail_on: Status,
    known: set[str],
) -> Report:
    """One result a rule, over all files; ``others`` gets those without Modal, ``known`` are the names of all rules."""
    from preflight.engine.files import judge, recipe_of
    from preflight.engine.select import in_order
    from preflight.engine.several import together
    from preflight.lookups import LookupFailed
    from preflight.report.places import from_here

    began, clock = datetime.now(UTC), time.monotonic()
    told: dict[Check, list[tuple[str, Result]]] = {}
    looked: list[str] = []
    gc.freeze()  # what is there now stays to the end: the collector need not look through it for every file
    gc.disable()  # each file's tree is a hundred thousand objects that nothing but its recipe holds
    try:
        for file in files:
            rules, places = kept[file.settings.project], from_here(file.settings.project, Path.cwd())
            recipe = recipe_of(file)
            if not isinstance(recipe, LookupFailed) and recipe.makes_nothing:
                others[file.file] = NOTHING_OF_MODAL
                continue
            if not isinstance(recipe, LookupFailed):
                _tell_misnamed(file.file, recipe, known)
            if fixing is not None:
                await fixing(file, rules)
                recipe = recipe_of(file)
            for result in await judge(rules, recipe, file.settings, now=began):
                told.setdefault(result.check, []).append((str(file.file), places.result(result)))
            looked.append(STDIN if file.content is not None else str(file.file))
            if not isinstance(recipe, LookupFailed):
                recipe.forget()
            if len(looked) % COLLECTED_AFTER == 0:
                gc.collect(0)  # what was made since: the results of earlier files need not be looked through again
    finally:
        gc.enable()
    return Report(
        target=Target(app=looked[0] if len(looked) == 1 else f"{len(looked)} files"),
        started=began,
        seconds=time.monotonic() - clock,
        results=tuple(together(check, told[check]) for check in in_order(told)),
        fail_on=fail_on,
        scope=Scope.PART,
    )


def _tell_misnamed(file: Path, recipe: Recipe, known: set[str]) -> None:
    """A ``# preflight: ignore[…]`` that names no rule ignores nothing, and its writer thinks that it does."""
    first = {name: line for line, names in sorted(recipe.ignores.items(), reverse=True) for name in names}
    wrong = sorted((line, name) for name, line in first.items() if name != "*" and name not in known)
    for line, name in wrong[:MOST_MISNAMED]:
        warn(f"{file}:{line}: no rule is called {name}, so nothing is ignored{near(name, known)}")
    if len(wrong) > MOST_MISNAMED:
        warn(f"{file}: {len(wrong) - MOST_MISNAMED} more ignores name no rule")


def _kept(
    rules: Sequence[Check], settings: Settings, only: tuple[str, ...], skip: tuple[str, ...]
) -> tuple[Check, ...]:
    """The rules that the command line and the project's `skip` leave in.  Raises UsageError for a name of none."""
    if not (only or skip or settings.skip):
        return tuple(rules)
    left_out = _ids(skip, "") | _ids(settings.skip, f"{settings.read_from}: tool.preflight.skip: ")
    named = _ids(only, "")
    kept = tuple(r for r in rules if (r.id in named or not only) and r.id not in left_out)
    if not kept:
        raise click.UsageError("no static rule is left by --only and --skip; `preflight list` says which are static")
    return kept


def _ids(names: Sequence[str], at: str) -> set[str]:
    from preflight.engine import index
    from preflight.engine.select import UnknownCheck

    try:
        return {c.id for name in names for c in index.found(name)}
    except UnknownCheck as e:
        raise click.UsageError(f"{at}{e}") from e


async def _fix(
    file: ToLint, rules: Sequence[Check], *, is_written: bool, is_shown: bool, is_unsafe_allowed: bool
) -> None:
    """Fix one file, print the diff of it, or both; what was done goes to stderr."""
    from preflight.app import reader
    from preflight.cli.running.target import below
    from preflight.engine.files import judge
    from preflight.report.text import printable
    from preflight.rules import fixes

    path, settings = file.file, file.settings
    try:
        content = path.read_bytes()
        done = await fixes.fixed(
            content,
            lambda b: reader.read(path, project=settings.project, content=b),
            lambda recipe: judge(rules, recipe, settings),
            is_unsafe_allowed=is_unsafe_allowed,
        )
        if is_shown:
            text = printable(redactor().text(fixes.difference(done, below(path, Path.cwd()) or str(path))))
            click.echo(text, nl=False)
        if is_written and done.after != done.before:
            fixes.write(path, done.after)
    except OSError as e:
        warn(f"{path}: can't be read or written: {e.strerror}")
        return
    verb = "fixed" if is_written else "would fix"
    warn(f"{path}: {verb} {', '.join(done.applied) or 'nothing'}")
    for taken_back in done.taken_back:
        warn(f"{path}: a fix did not hold and was taken back: {taken_back}")
