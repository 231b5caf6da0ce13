"""For people who write checks, here and in plugins: one check, run on stand-ins for what it looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from preflight.engine.run import Limits, run
from preflight.engine.select import Selection
from preflight.lookups import Lookup, World
from preflight.model import Check, Report, Result, Target
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
