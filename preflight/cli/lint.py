"""`preflight lint`."""

from __future__ import annotations

import asyncio
import functools
import gc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from preflight.cli.options import Output, output_options, reporters, wanted_outputs
from preflight.model import Check, Exit, Report, Stage, Status, Target
from preflight.settings import BUILDER_VERSION, Settings


def parse_builder(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """An option callback: an image builder version such as 2025.06."""
    if value is not None and not BUILDER_VERSION.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not a version; wanted like 2025.06")
    return value


@dataclass(frozen=True)
class _Fixing:
    """How far fixes may go."""

    is_wanted: bool  # --fix or --diff
    is_written: bool
    is_unsafe_allowed: bool


@click.command("lint")
@click.argument("apps", nargs=-1, metavar="[APP]...")
@click.option("--fix", "fix", is_flag=True, help="Apply the safe fixes.")
@click.option("--diff", "diff", is_flag=True, help="Print what --fix would change, and change nothing.")
@click.option("--unsafe-fixes", "unsafe", is_flag=True, help="Also the fixes that may change what the app does.")
@click.option("--fail-on", type=click.Choice(["warn", "fail"]), default="fail", show_default=True)
@click.option("--builder", metavar="VERSION", callback=parse_builder, help="The image builder, such as 2025.06.")
@output_options
def lint_command(
    apps: tuple[str, ...],
    fix: bool,
    diff: bool,
    unsafe: bool,
    fail_on: str,
    builder: str | None,
    outputs: tuple[Output, ...],
    as_json: bool,
    verbose: bool,
) -> int:
    """Check app files with the static rules alone: no account, no network, nothing that costs.

    APP are files, or folders whose Python files that import modal are taken.  Without any: the project's app.
    """
    if fix and diff:
        raise click.UsageError("--fix writes and --diff does not: give one of them")
    if unsafe and not (fix or diff):
        raise click.UsageError("--unsafe-fixes belongs to --fix or --diff")
    if diff and (as_json or any(o.path == "-" for o in outputs)):
        raise click.UsageError("stdout holds the diff; give the report a file, such as -o json=report.json")
    from preflight.cli.conduct import all_checks
    from preflight.engine.files import static_rules

    rules = static_rules(all_checks({Stage.STATIC}))
    targets = _targets(apps, builder)
    fixing = _Fixing(fix or diff, fix, unsafe)
    wanted = outputs if diff else wanted_outputs(outputs, as_json)
    return _conduct(targets, rules, fixing, Status(fail_on), wanted, is_verbose=verbose)


def _targets(apps: tuple[str, ...], builder: str | None) -> list[tuple[Path, Settings]]:
    """Each file with its project's settings.  Raises UsageError for what is not there."""
    from preflight.cli.conduct import Options, resolve_app, settings_for
    from preflight.engine.files import python_files
    from preflight.settings import find_project

    @functools.cache
    def settings_of(folder: Path) -> Settings:
        probe = folder / "app.py"
        found = settings_for(Options(app=str(probe)), start=folder, scenario=None)
        return replace(found, builder=builder or found.builder)

    files: dict[Path, None] = {}
    for app in apps:
        path = Path(app)
        if path.is_dir():
            inside = list(python_files(path))
            if not inside:
                raise click.UsageError(f"no Python file below {path} imports modal")
            files.update(dict.fromkeys(inside))
        elif path.is_file():
            files[path] = None
        else:
            raise click.UsageError(f"{path} is not there")
    if not apps:
        settings = settings_for(Options(), start=Path.cwd(), scenario=None)
        files[settings.project / resolve_app(settings, None)] = None
    targets = []
    for file in files:
        folder = find_project(file.parent) or file.parent.resolve()
        settings = settings_of(folder)
        shown = str(file.resolve())
        targets.append((file, replace(settings, app=_below(file, settings.project) or shown)))
    return targets


def _below(file: Path, project: Path) -> str | None:
    try:
        return str(file.resolve().relative_to(project.resolve()))
    except ValueError:
        return None


def _conduct(
    targets: Sequence[tuple[Path, Settings]],
    rules: Sequence[Check],
    fixing: _Fixing,
    fail_on: Status,
    outputs: Sequence[Output],
    *,
    is_verbose: bool,
) -> Exit:
    from preflight.redact import Redactor
    from preflight.report import redacted

    target = Target(app=str(targets[0][0]) if len(targets) == 1 else f"{len(targets)} files")
    redactor = Redactor()
    gc.freeze()  # what is there now stays to the end: the collector need not look through it for every file
    with reporters(outputs, is_verbose=is_verbose) as told:
        report = redacted.report(redactor, asyncio.run(_lint(targets, rules, fixing, target, fail_on)))
        for reporter in told:
            reporter.begin(target, [r.check for r in report.results])
            for result in report.results:
                reporter.observe(result)
            reporter.finish(report)
    return report.exit


async def _lint(
    targets: Sequence[tuple[Path, Settings]],
    rules: Sequence[Check],
    fixing: _Fixing,
    target: Target,
    fail_on: Status,
) -> Report:
    from preflight.engine.files import ToLint, look, merged

    if fixing.is_wanted:
        for file, settings in targets:
            await _fix(file, settings, _kept(rules, settings), fixing)
    looked = []
    for file, settings in targets:
        looked += await look([ToLint(file, settings)], _kept(rules, settings), shown_from=Path.cwd())
    return merged(looked, rules, target=target, fail_on=fail_on)


def _kept(rules: Sequence[Check], settings: Settings) -> tuple[Check, ...]:
    """The rules that the project's `skip` leaves in."""
    if not settings.skip:
        return tuple(rules)
    from preflight.cli.conduct import Options, selection_for

    chosen = {c.id for c in selection_for(Options(), settings).chosen}
    return tuple(r for r in rules if r.id in chosen)


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError as e:
        click.echo(f"{file}: can't be read: {e.strerror}", err=True)
        return None


async def _fix(file: Path, settings: Settings, rules: Sequence[Check], fixing: _Fixing) -> None:
    """Fix one file or print the diff of it; what was done goes to stderr."""
    from preflight.app import reader
    from preflight.engine.files import judge
    from preflight.rules import fixes

    content = _content(file)
    if content is None:
        return
    done = await fixes.fixed(
        content,
        lambda b: reader.read(file, project=settings.project, content=b),
        lambda recipe: judge(rules, recipe, settings),
        is_unsafe_allowed=fixing.is_unsafe_allowed,
    )
    if not fixing.is_written:
        click.echo(fixes.difference(done, _below(file, Path.cwd()) or str(file)), nl=False)
    elif done.after != done.before:
        try:
            fixes.write(file, done.after)
        except OSError as e:
            click.echo(f"{file}: can't be written: {e.strerror}", err=True)
            return
    verb = "fixed" if fixing.is_written else "would fix"
    if done.applied:
        click.echo(f"{file}: {verb} {', '.join(done.applied)}", err=True)
    for taken_back in done.taken_back:
        click.echo(f"{file}: a fix did not hold and was taken back: {taken_back}", err=True)
