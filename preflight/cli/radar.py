"""`preflight radar` and `preflight lock`: an app's images resolved on the index, and the pins that repeat them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from preflight.app import reader
from preflight.app.model import PipInstall, Recipe
from preflight.cli.running.options import document_option, print_document
from preflight.cli.running.target import project_settings, resolve_app, typed_here
from preflight.model import Exit, Finding, Json, Severity
from preflight.settings import Settings

if TYPE_CHECKING:
    from preflight.radar.image import Indexes, Move, Resolved

WITHOUT_A_PASS = timedelta(days=30)
SCHEMA = "preflight.radar/1"
SHOWN = 12


@dataclass(frozen=True)
class AppRead:
    """An app as it stands in its project."""

    file: Path
    name: str
    recipe: Recipe
    settings: Settings


def read_app(app: str | None) -> AppRead:
    settings = project_settings(start=Path.cwd(), scenario=None, app=app)
    name = resolve_app(settings, app)
    file = settings.project / name
    try:
        recipe = reader.read(file, project=settings.project)
    except OSError as e:
        raise click.UsageError(f"{file} can't be read: {e.strerror or e}") from e
    if recipe.broken:
        raise click.UsageError(f"{name} does not parse: preflight lint {name} says where")
    return AppRead(file, name, recipe, settings)


@contextlib.contextmanager
def indexes() -> Iterator[Indexes]:
    """The index that an install asks: its own addresses, else those of this machine's pip."""
    import platformdirs

    from preflight.remote.index.configured import NoIndex, pip_indexes
    from preflight.remote.index.packages import PackageIndex

    kept = platformdirs.user_cache_path("preflight") / "index"
    try:
        default = pip_indexes(os.environ)
    except NoIndex as e:
        raise click.UsageError(str(e)) from e
    opened: dict[tuple[str, ...], PackageIndex] = {}
    with contextlib.ExitStack() as stack:

        def of(install: PipInstall) -> PackageIndex:
            first = (install.index_url,) if install.index_url else default
            urls = tuple(dict.fromkeys(u.rstrip("/") for u in (*first, *install.extra_index_urls)))
            if urls not in opened:
                opened[urls] = stack.enter_context(PackageIndex(urls, kept))
            return opened[urls]

        yield of


@click.command("radar")
@click.argument("app", required=False)
@click.option("--since", "since", type=click.DateTime(["%Y-%m-%d"]), help="The day to compare with.  [last pass]")
@document_option("preflight.radar/1")
def radar_command(app: str | None, since: datetime | None, is_json: bool) -> int:
    """Say what an unchanged app resolves to now, and what that breaks by our tables.

    The requirements of each image are resolved on the package index of this machine's pip, as it is today and as it
    was on the day of the last pass; the static rules then look at both.  Nothing is installed.

    Exit codes: 0 nothing breaks, 1 something does, or an announced end is due, 3 it could not all be resolved.
    """
    from preflight.build.announced import concerns
    from preflight.radar.image import moves, resolved

    read = read_app(app)
    today = datetime.now(UTC).date()
    day, why = (since.date(), "--since") if since else _last_pass(read, today)
    uv = shutil.which("uv")
    with indexes() as of:
        now = [resolved(image, of, uv=uv) for image in read.recipe.images]
        before = [resolved(image, of, day, uv=uv) for image in read.recipe.images]
    moved = [m for new, old in zip(now, before, strict=True) for m in moves(new, old)]
    broken = asyncio.run(_newly_broken(read, now, before))
    announced = tuple(concerns(read.recipe, today))
    unknown = tuple(dict.fromkeys(u for one in (*now, *before) for u in one.unknown))
    if is_json:
        print_document(_document(read, day, moved, (*broken, *announced), unknown))
    else:
        _show(read, day, why, moved, broken, announced, unknown)
    if broken or any(f.severity is Severity.ERROR for f in announced):
        return Exit.FINDINGS
    return Exit.INCOMPLETE if unknown else Exit.READY


def _last_pass(read: AppRead, today: date) -> tuple[date, str]:
    from preflight.state.follow import kept

    state = read.settings.state
    good, _ = kept(state, read.settings.project, read.name) if state is not None else ([], [])
    if good:
        return good[0].at.date(), "the last pass"
    return today - WITHOUT_A_PASS, f"no pass is kept: {WITHOUT_A_PASS.days} days ago"


async def _newly_broken(read: AppRead, now: Sequence[Resolved], before: Sequence[Resolved]) -> tuple[Finding, ...]:
    """The errors of the app with what it takes now, that it had not with what it took before."""
    errors = [{f.message: f for f in await _errors(read, one)} for one in (now, before)]
    return tuple(f for message, f in errors[0].items() if message not in errors[1])


async def _errors(read: AppRead, resolved: Sequence[Resolved]) -> list[Finding]:
    from preflight.cli.running.audience import all_checks
    from preflight.engine.files import judge, static_rules
    from preflight.radar.image import pins
    from preflight.rules.fixes import edited

    content, fix = read.file.read_bytes(), pins(read.recipe, resolved)
    after = edited(content, read.recipe.source.text, fix) if fix else content
    recipe = reader.read(read.file, project=read.settings.project, content=after or content)
    results = await judge(static_rules(all_checks()), recipe, read.settings)
    return [f for r in results for f in r.findings if f.severity is Severity.ERROR]


def _document(
    read: AppRead, day: date, moved: Sequence[Move], findings: Sequence[Finding], unknown: Sequence[str]
) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "app": read.name,
        "since": day.isoformat(),
        "moves": [
            {
                "name": m.name,
                "before": str(m.before.version) if m.before else None,
                "now": str(m.now.version) if m.now else None,
                "uploaded": m.now.uploaded.isoformat() if m.now and m.now.uploaded else None,
                "asked": m.asked.package.written if m.asked else None,
                "where": str(m.where),
            }
            for m in moved
        ],
        "findings": [{"severity": f.severity.value, "message": f.message, "remedy": f.remedy} for f in findings],
        "unknown": list(unknown),
    }


def _show(
    read: AppRead,
    day: date,
    why: str,
    moved: Sequence[Move],
    broken: Sequence[Finding],
    announced: Sequence[Finding],
    unknown: Sequence[str],
) -> None:
    from rich.text import Text

    from preflight.report.plain_console import stdout_console

    console = stdout_console()
    app = typed_here(read.settings, read.name)
    console.print(Text(f"{app}: what it takes now against {day} ({why})"))
    own = [m for m in moved if m.asked]
    for move in own:
        if move.now is None or move.asked is None:
            continue
        came = f" came out {move.now.uploaded}" if move.now.uploaded else ""
        old = f" instead of {move.before.version}" if move.before else ""
        console.print(
            Text(f"~ {move.name} {move.now.version}{came}: {move.asked.package.written} ({move.where}) takes it{old}")
        )
    others = [f"{m.name} {m.now.version}" for m in moved if m.asked is None and m.now]
    if others:
        console.print(
            Text(f"~ {len(others)} dependencies moved too: {', '.join(others[:SHOWN])}" + " …" * (len(others) > SHOWN))
        )
    for finding in (*broken, *announced):
        mark = "✗" if finding.severity is Severity.ERROR else "!"
        console.print(Text(f"{mark} {finding.where or app}: {finding.message}"))
        console.print(Text(f"  fix {finding.remedy}"))
    for line in unknown:
        console.print(Text(f"? {line}"))
    if not moved and not unknown:
        console.print(Text("nothing that it asks for has moved"))
    if moved:
        console.print(Text(f"next: preflight lock {app}"))


@click.command("lock")
@click.argument("app", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the constraints there.")
@click.option("--write", "is_written", is_flag=True, help="Also change the app, as the diff says.")
def lock_command(app: str | None, output: Path | None, is_written: bool) -> int:
    """Print the releases that the app's images take today, as a constraints file, and the pins of the app as a diff.

    They are resolved on the package index of this machine's pip, for the image's Python on Linux.  Exit codes: 0 all
    is pinned, 3 something could not be resolved and is not pinned.
    """
    from preflight.app import reader
    from preflight.radar.image import constraints, pins, resolved
    from preflight.rules.fixes import Fixed, difference, edited, write

    read = read_app(app)
    uv = shutil.which("uv")
    with indexes() as of:
        found = [resolved(image, of, uv=uv) for image in read.recipe.images]
    lines = []
    for one in found:
        name = one.image.variable or f"the image at {one.image.where}"
        lines += [f"# {name}, Python {one.python}", *constraints(one), *(f"# not pinned: {u}" for u in one.unknown), ""]
    text = "\n".join(lines)
    if output is None:
        click.echo(text, nl=False)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as e:
            raise click.UsageError(f"{output} can't be written: {e.strerror}") from e
    content, fix = read.file.read_bytes(), pins(read.recipe, found)
    after = edited(content, read.recipe.source.text, fix) if fix else None
    if after is not None and reader.read(read.file, project=read.settings.project, content=after).source.tree:
        click.echo(difference(Fixed(content, after, (), ()), read.name), nl=False)
        if is_written:
            write(read.file, after)
    return Exit.INCOMPLETE if any(one.unknown for one in found) else Exit.READY
