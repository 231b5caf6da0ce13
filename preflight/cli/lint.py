"""`preflight lint`."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from preflight.app import reader
from preflight.cli.running.audience import Shown, audience
from preflight.cli.running.options import near, shown_options, split, wanted_outputs
from preflight.cli.running.stderr import redactor, warn
from preflight.engine.files import ToLint, TooManyFiles, judge, look, python_files, static_rules
from preflight.engine.select import in_order
from preflight.engine.several import together
from preflight.model import Check, Exit, Report, Result, Scope, Stage, Status, Target
from preflight.report.next import typed
from preflight.report.places import from_here
from preflight.report.text import printable
from preflight.rules import fixes
from preflight.settings import BUILDER_VERSION, Settings
from preflight.wording import counted

STDIN = "-"
NOTEBOOK = "is a notebook; write it out first: jupyter nbconvert --to script"


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


@dataclass(frozen=True)
class _Fixing:
    """How far fixes may go."""

    is_written: bool
    is_shown: bool
    is_unsafe_allowed: bool

    @property
    def is_wanted(self) -> bool:
        return self.is_written or self.is_shown


@click.command("lint")
@click.argument("apps", nargs=-1, metavar="[APP]...")
@click.option("--fix", "fix", is_flag=True, help="Apply the safe fixes.")
@click.option("--diff", "diff", is_flag=True, help="Print what --fix changes; without --fix, change nothing.")
@click.option("--unsafe-fixes", "unsafe", is_flag=True, help="Also the fixes that may change what the app does.")
@click.option("--all", "is_for_all", is_flag=True, help="Every file of the project that imports modal.")
@click.option(
    "--only", metavar="IDS", multiple=True, callback=split, help="Only these rules: ids or names, by comma or repeated."
)
@click.option("--skip", metavar="IDS", multiple=True, callback=split, help="Without these rules.")
@click.option("--fail-on", type=click.Choice(["warn", "fail"]), help="[default: fail, or the configuration]")
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
    fail_on: str | None,
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
    files, passed_over = _with_modal(found, is_silent=pass_others)
    if not files and pass_others:
        return Exit.READY
    from preflight.cli.running.conduct import all_checks

    rules = static_rules(all_checks({Stage.STATIC}))
    kept = {f.settings.project: _kept(rules, f.settings, only, skip) for f in files}
    failing = Status(fail_on or next((f.settings.fail_on for f in files if f.settings.fail_on), "fail"))
    fixing = _Fixing(fix, diff, unsafe)
    shown = shown if diff else replace(shown, outputs=wanted_outputs(shown.outputs))
    name = STDIN if files[0].content is not None else str(files[0].file)
    target = Target(app=name if len(files) == 1 else f"{len(files)} files", passed_over=passed_over)
    gc.freeze()  # what is there now stays to the end: the collector need not look through it for every file
    heard = audience(shown, base=Path.cwd(), sources=[f.file for f in files if f.content is None])
    report = asyncio.run(_lint(files, kept, fixing, target, failing))
    heard.begin(report.target, [r.check for r in report.results])
    for result in report.results:
        heard.observe(result)
    report = heard.finish(report)
    has_document = any(o.format == "json" and o.stream == 1 for o in shown.outputs)
    if not fix and (count := _fixable(report)) and not (has_document or shown.is_quiet or diff or name == STDIN):
        names = " ".join(typed(str(f.file)) for f in files[:4]) if len(files) < 5 else "…"
        warn(f"{count} fixable with preflight lint --fix {names}")
    return shown.exit_of(report)


def _fixable(report: Report) -> int:
    return sum(f.fix is not None and f.fix.is_safe for r in report.results for f in r.findings)


def _files(apps: Sequence[str], builder: str | None, *, is_for_all: bool, stdin_filename: str) -> list[ToLint]:
    """Each file with its project's settings.  Raises UsageError for what is not there."""
    from preflight.cli.running.target import project_settings, resolve_app
    from preflight.settings import find_project

    @functools.cache
    def settings_of(folder: Path) -> Settings:
        found = project_settings(start=folder, scenario=None, app=str(folder / "app.py"))
        return replace(found, builder=builder or found.builder)

    paths: dict[Path, bytes | None] = {}
    if STDIN in apps:
        paths[Path(stdin_filename)] = sys.stdin.buffer.read()
        apps = ()
    elif is_for_all:
        top = str(find_project(Path.cwd()) or Path.cwd())
        apps = (top,)
    elif not apps:
        settings = project_settings(start=Path.cwd(), scenario=None)
        paths[_here(settings.project / resolve_app(settings, None))] = None
    for app in apps:
        path = Path(app)
        if path.is_dir():
            try:
                inside = list(python_files(path))
            except TooManyFiles as e:
                raise click.UsageError(str(e)) from e
            if not inside:
                raise click.UsageError(f"no Python file below {path} imports modal")
            paths.update(dict.fromkeys(map(_here, inside)))
        else:
            _look_at(path)
            paths[path] = None
    files = []
    for path, content in paths.items():
        folder = find_project(path.parent) or path.parent.resolve()
        settings = settings_of(folder)
        shown = _below(path, settings.project) or str(path.resolve())
        files.append(ToLint(path, replace(settings, app=shown), content))
    return files


def _look_at(path: Path) -> None:
    """Raises UsageError for what is no file, with the name that may have been meant, and for a notebook."""
    from preflight.cli.running.target import like

    try:
        if path.is_file() and path.suffix == ".ipynb":
            raise click.UsageError(f"{path} {NOTEBOOK}")
        if path.is_file():
            return
        is_there = path.exists()
    except (OSError, RuntimeError) as e:
        raise click.UsageError(f"{path} can't be read: {e}") from e
    raise click.UsageError(f"{path} is not a regular file" if is_there else f"{path} is not there{like(path)}")


def _here(path: Path) -> Path:
    """As somebody in this folder would type it."""
    below = _below(path, Path.cwd())
    return Path(below) if below else path


def _below(file: Path, project: Path) -> str | None:
    try:
        return str(file.resolve().relative_to(project.resolve()))
    except (ValueError, OSError, RuntimeError):
        return None


def _with_modal(files: Sequence[ToLint], *, is_silent: bool) -> tuple[list[ToLint], tuple[str, ...]]:
    """Those that make something of Modal, and why the others are passed over: every rule would pass them.

    Raises UsageError where none is left.
    """
    whys = {file.file: _why_not(file) for file in files}
    kept = [file for file in files if not whys[file.file]]
    others = tuple(f"{path} {why}" for path, why in whys.items() if why)
    if is_silent:
        return kept, ()
    if not kept and others:
        more = f"; neither do {counted(len(others) - 1, 'other file')}" if len(others) > 1 else ""
        raise click.UsageError(f"{others[0]}{more}")
    return kept, others


def _why_not(file: ToLint) -> str:
    """Why no rule would have anything to look at; "" where one would, or where the file can't be read."""
    if file.file.suffix == ".ipynb":
        return NOTEBOOK
    try:
        content = file.file.read_bytes() if file.content is None else file.content
    except OSError:
        return ""  # the report says so
    if b"modal" in content:
        recipe = reader.read(file.file, project=file.settings.project, content=content)
        if recipe.broken or recipe.apps or recipe.functions or recipe.images or recipe.secrets or recipe.volumes:
            return ""
    elif file.file.suffix in (".py", "") and not _parses(content):
        return ""  # the rule on syntax says so
    return "makes nothing of Modal: no App, function, image, secret or volume"


def _parses(content: bytes) -> bool:
    import ast

    try:
        ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


async def _lint(
    files: Sequence[ToLint], kept: dict[Path, tuple[Check, ...]], fixing: _Fixing, target: Target, fail_on: Status
) -> Report:
    """One result a rule, over all files."""
    began, clock = datetime.now(UTC), time.monotonic()
    told: dict[str, list[tuple[str, Result]]] = {}
    checks: dict[str, Check] = {}
    for file in files:
        rules, places = kept[file.settings.project], from_here(file.settings.project, Path.cwd())
        if fixing.is_wanted:
            await _fix(file, rules, fixing)
        for result in await look(file, rules):
            checks[result.check.id] = result.check
            told.setdefault(result.check.id, []).append((str(file.file), places.result(result)))
    results = tuple(together(check, told[check.id]) for check in in_order(checks.values()))
    seconds = time.monotonic() - clock
    return Report(target=target, started=began, seconds=seconds, results=results, fail_on=fail_on, scope=Scope.PART)


def _kept(
    rules: Sequence[Check], settings: Settings, only: tuple[str, ...], skip: tuple[str, ...]
) -> tuple[Check, ...]:
    """The rules that the command line and the project's `skip` leave in.  Raises UsageError for a name of none."""
    if not (only or skip or settings.skip):
        return tuple(rules)
    named, left_out = (
        _ids(only, ""),
        _ids(skip, "") | _ids(settings.skip, f"{settings.read_from}: tool.preflight.skip: "),
    )
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


async def _fix(file: ToLint, rules: Sequence[Check], fixing: _Fixing) -> None:
    """Fix one file, print the diff of it, or both; what was done goes to stderr."""
    path, settings = file.file, file.settings
    try:
        content = path.read_bytes()
        done = await fixes.fixed(
            content,
            lambda b: reader.read(path, project=settings.project, content=b),
            lambda recipe: judge(rules, recipe, settings),
            is_unsafe_allowed=fixing.is_unsafe_allowed,
        )
        if fixing.is_shown:
            text = printable(redactor().text(fixes.difference(done, _below(path, Path.cwd()) or str(path))))
            click.echo(text, nl=False)
        if fixing.is_written and done.after != done.before:
            fixes.write(path, done.after)
    except OSError as e:
        warn(f"{path}: can't be read or written: {e.strerror}")
        return
    verb = "fixed" if fixing.is_written else "would fix"
    warn(f"{path}: {verb} {', '.join(done.applied) or 'nothing'}")
    for taken_back in done.taken_back:
        warn(f"{path}: a fix did not hold and was taken back: {taken_back}")
