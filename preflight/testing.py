"""For people who write checks, here and in plugins: one check, run on stand-ins for what it looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from preflight.app import reader
from preflight.app.model import Recipe
from preflight.engine.run import Limits, run
from preflight.engine.select import Selection
from preflight.lookups import Lookup, World
from preflight.model import Check, Finding, Report, Result, Target
from preflight.rules.form import Context, Rule
from preflight.settings import Settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def run_checks(
    *checks: Check,
    given: Mapping[Lookup[Any], Any] | None = None,
    settings: Settings | None = None,
    now: datetime = NOON,
    limits: Limits | None = None,
) -> Report:
    """The report of a run of just these checks.  A lookup that is not ``given`` is really made."""
    world = World(now=now, settings=settings or Settings())
    return asyncio.run(run(Selection(checks), world, target=Target(), given=given, limits=limits))


def run_check(
    check: Check,
    given: Mapping[Lookup[Any], Any],
    *,
    settings: Settings | None = None,
    now: datetime = NOON,
    limits: Limits | None = None,
) -> Result:
    """One check's result.  Every lookup it declares must be given, so that a test can't reach the network by
    forgetting one; give ``LookupFailed(lookup, why)`` for one that can't be had.
    """
    missing = [key.name for key in (*check.needs, *check.tries) if key not in given]
    if missing:
        raise AssertionError(f"{check.id} looks at {', '.join(missing)}; give a stand-in for each")
    return run_checks(check, given=given, settings=settings, now=now, limits=limits).results[0]


def recipe(text: str, *, file: Path = Path("app.py"), project: Path | None = None) -> Recipe:
    """The source text as preflight reads it; nothing of it is run.  ``file`` need not exist."""
    return reader.read(file, project=project or file.parent, content=text.encode())


def findings(
    rule: Rule, app: Recipe | str, *, builder: str | None = None, project: Path = Path(), now: datetime = NOON
) -> tuple[Finding, ...]:
    """What a rule finds in an app, given as its source text or as a recipe."""
    return rule(recipe(app) if isinstance(app, str) else app, Context(builder, project, now))
