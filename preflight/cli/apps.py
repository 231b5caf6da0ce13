"""`preflight apps`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from preflight.cli.running.rehearsal import in_sandbox
from preflight.cli.running.stderr import warn
from preflight.cli.running.target import project_settings
from preflight.lookups import LookupFailed, Lookups, World
from preflight.model import Exit
from preflight.problems import Problem
from preflight.remote.lookups import APPS, age_text, is_stale, stop_app
from preflight.remote.modal_types import App
from preflight.report.text import one_line
from preflight.settings import Settings, parse_age
from preflight.wording import listed

ASK_S = 10.0


@click.command("apps")
@click.option("--older-than", metavar="AGE", help="Like 90m, 24h, 2d.  [default: 24h, or the configuration]")
@click.option("--stop", is_flag=True, help="Stop the forgotten ones, after asking.")
@click.option("--yes", is_flag=True, help="With --stop: do not ask.")
@click.option("-e", "--environment", metavar="ENV", help="Modal environment.")
@click.option("--sandbox", "use_sandbox", is_flag=True)
@click.option("--scenario", metavar="NAME")
def apps_command(
    older_than: str | None, stop: bool, yes: bool, environment: str | None, use_sandbox: bool, scenario: str | None
) -> int:
    """List the runs that nobody follows any more; with --stop, stop them.

    Exit code 0: none is left running; 1: there are some; 3: Modal could not be asked.
    """
    if scenario is not None and not use_sandbox:
        raise click.UsageError("--scenario belongs to --sandbox")
    with in_sandbox(scenario or "healthy") if use_sandbox else nullcontext() as sandbox:
        start, name = (sandbox.project, sandbox.name) if sandbox else (Path.cwd(), None)
        settings = project_settings(start=start, scenario=name, environment=environment)
        limit = older_than or settings.stale_apps.older_than
        try:
            parse_age(limit)
        except ValueError as e:
            raise click.BadParameter(str(e), param_hint="--older-than") from e
        stale_settings = replace(settings.stale_apps, older_than=limit)
        found = asyncio.run(_list(settings))
        if isinstance(found, LookupFailed):
            warn(f"Modal could not be asked: {found.why}")
            return Exit.INCOMPLETE
        now = datetime.now(UTC)
        stale = [a for a in found if is_stale(a, stale_settings, now)]
        for app in stale:
            by = f" by {app.created_by}" if app.created_by else ""
            age = age_text(app.created, now)
            click.echo(f"{one_line(app.id)}  {one_line(app.state):<10} {age:>8}  {one_line(app.description + by)}")
        untold = [a.id for a in found if a.state == "unknown"]
        if untold and not stale:
            click.echo(f"Modal does not tell the state of {listed(untold)}; look with `modal app list`", err=True)
            return Exit.INCOMPLETE
        if not stale:
            click.echo(f"none of {len(found)} apps is a run older than {limit}")
            return Exit.READY
        if not stop:
            click.echo(f"\n{len(stale)} older than {limit}; `preflight apps --stop` stops them")
            return Exit.FINDINGS
        if not yes and not _consent(len(stale)):
            return Exit.FINDINGS
        return asyncio.run(_stop([a.id for a in stale]))


def _consent(count: int) -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("--stop asks before it stops; off a terminal say --yes")
    return click.confirm(f"stop {count} app{'s' if count > 1 else ''}?", default=False)


async def _list(settings: Settings) -> tuple[App, ...] | LookupFailed:
    async with Lookups(World(now=datetime.now(UTC), settings=settings)) as lookups:
        return (await lookups.see("apps", (), (APPS,))).tried(APPS)


async def _stop(ids: Sequence[str]) -> int:
    failed = 0
    for app_id in ids:
        try:
            async with asyncio.timeout(ASK_S):
                await stop_app(app_id)
            click.echo(f"stopped {app_id}")
        except (Problem, TimeoutError) as e:
            failed += 1
            why = f"no answer after {ASK_S:g} s" if isinstance(e, TimeoutError) else str(e)
            warn(f"{app_id} was not stopped: {why}")
    return Exit.INCOMPLETE if failed else Exit.READY
