"""After a run: a pass is kept with the facts it stood on; a failure is compared with the last pass."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from preflight.changes import Changed
from preflight.lookups import Lookup, LookupFailed, Lookups, World
from preflight.model import Exit, Report, Stage
from preflight.remote.lookups import LISTED_SECRETS, WORKSPACE
from preflight.settings import folder_of
from preflight.state.differ import changes
from preflight.state.receipt import Aware
from preflight.state.run_facts import of_run
from preflight.state.vector import Vector, printable
from preflight.store import write_whole

LONGEST_S = 5.0  # of the one question that no check has asked: when each secret was made
SCHEMA = "preflight.worked/1"
MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Worked:
    """A passing run: when, as far as which stage, and on what it stood."""

    at: Aware
    stage: Stage
    facts: Vector


@dataclass(frozen=True)
class _Kept(Worked):
    schema: str
    app: str


@dataclass(frozen=True)
class Unreadable:
    """A file that is not used; ``why`` says what is wrong with it."""

    file: Path
    why: str


def keep(state: Path, project: Path, app: str, worked: Worked) -> None:
    """Replaces what was kept of this app and stage.  Raises OSError."""
    row = asdict(worked) | {"schema": SCHEMA, "app": printable(app)}
    write_whole(_file(state, project, app, worked.stage), msgspec.json.encode(row))


def kept(state: Path, project: Path, app: str) -> tuple[list[Worked], list[Unreadable]]:
    """What was kept of this app, newest first, and the files that can't be used."""
    read = [_read(_file(state, project, app, stage), app, stage) for stage in Stage]
    good = [each for each in read if isinstance(each, Worked)]
    return sorted(good, key=lambda w: w.at, reverse=True), [each for each in read if isinstance(each, Unreadable)]


def _file(state: Path, project: Path, app: str, stage: Stage) -> Path:
    digest = hashlib.sha256(app.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return folder_of(state, project) / f"worked-{digest}-{stage.value}.json"


def _read(file: Path, app: str, stage: Stage) -> Worked | Unreadable | None:
    try:
        if file.stat().st_size > MOST_BYTES or not file.is_file():
            return Unreadable(file, "it is larger than this ever writes")
        row = msgspec.json.decode(file.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return None
    except OSError as e:
        return Unreadable(file, e.strerror or str(e))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as e:
        return Unreadable(file, f"it is no {SCHEMA}: {e}")
    if (row.schema, row.app, row.stage) != (SCHEMA, printable(app), stage):
        return Unreadable(file, f"it is no {SCHEMA} of this app")
    return Worked(row.at, row.stage, row.facts)


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
        facts = of_run(settings, report, await _with_secrets(world, found), redact)
        keep(settings.state, settings.project, settings.app, Worked(report.started, stage, facts))
        return report
    good, bad = kept(settings.state, settings.project, settings.app)
    if not good:
        return replace(report, changed=Changed(note=_note(bad))) if bad else report
    now = of_run(settings, report, await _with_secrets(world, found), redact)
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
    return "; ".join(f"{b.file.parent.name}/{b.file.name} is ignored: {b.why}" for b in bad)
