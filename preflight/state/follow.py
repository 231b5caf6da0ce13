"""After a run: a pass is kept with what it stood on; a failure is compared with the last pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from preflight.lookups import Lookup, LookupFailed, Lookups, World
from preflight.model import Changed, Exit, Report, Stage
from preflight.remote.lookups import LISTED_SECRETS, WORKSPACE
from preflight.state.differ import changes
from preflight.state.kept import Unreadable, Worked, keep, kept
from preflight.state.vector import Vector, vector

LONGEST_S = 5.0  # of the one question that no check has asked: when each secret was made


async def followed(
    report: Report, world: World, found: Mapping[Lookup[Any], object], stage: Stage, redact: Callable[[str], str]
) -> Report:
    """The report, with what differs from the last pass where it is not ready.

    Raises OSError when a pass can't be kept.  Nothing is kept or compared without a state folder and an app.
    """
    settings = world.settings
    if settings.state is None or settings.app is None or report.exit is Exit.INTERRUPTED:
        return report
    if report.exit is Exit.READY:
        facts = vector(settings, report, await _with_secrets(world, found), redact)
        keep(settings.state, settings.project, settings.app, Worked(report.started, stage, facts))
        return report
    good, bad = kept(settings.state, settings.project, settings.app)
    if not good:
        return replace(report, changed=Changed(note=_note(bad))) if bad else report
    now = vector(settings, report, await _with_secrets(world, found), redact)
    before = _merged(good)
    return replace(report, changed=Changed(since=good[0].at, changes=changes(before, now, report), note=_note(bad)))


async def _with_secrets(world: World, found: Mapping[Lookup[Any], object]) -> Mapping[Lookup[Any], object]:
    """What was found, and when the secrets were made, where Modal has answered at all."""
    if WORKSPACE not in found or LISTED_SECRETS in found:
        return found
    try:
        async with asyncio.timeout(LONGEST_S), Lookups(world, found) as lookups:
            secrets = (await lookups.see("history", (), (LISTED_SECRETS,))).tried(LISTED_SECRETS)
    except TimeoutError:
        return found
    return found if isinstance(secrets, LookupFailed) else {**found, LISTED_SECRETS: secrets}


def _merged(newest_first: list[Worked]) -> Vector:
    """Each group as the newest pass that looked at it has it."""
    groups: Vector = {}
    for worked in newest_first:
        for name, rows in worked.facts.items():
            groups.setdefault(name, rows)
    return groups


def _note(bad: list[Unreadable]) -> str:
    return "; ".join(f"{_short(b.file)} is ignored: {b.why}" for b in bad)


def _short(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"
