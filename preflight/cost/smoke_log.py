"""The pace of the last smoke test, from the log that it left in the user's state folder."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from preflight.cost.pace import NoPace, Pace, PatternRefused, pace_of, pattern_of
from preflight.settings import Settings, folder_of

NAME = re.compile(r"smoke-(\d{8}-\d{6})\.log")
MOST_LOGS = 5  # the newest that shows a pace is taken; the last ones may have failed before their first epoch
MOST_BYTES = 20_000_000  # of the end of a log


@dataclass(frozen=True)
class Measured:
    """A pace with the log that shows it.  ``at`` is when that run began, in UTC."""

    pace: Pace
    log: Path
    at: datetime


def measured(settings: Settings) -> Measured | NoPace:
    """What the newest readable log shows.  Nothing is read where nothing is kept."""
    if settings.state is None:
        return NoPace("no smoke test's log is kept here")
    try:
        pattern = None if settings.smoke.epoch_pattern is None else pattern_of(settings.smoke.epoch_pattern)
    except PatternRefused as e:
        return NoPace(str(e))
    logs = sorted(folder_of(settings.state, settings.project).glob("smoke-*.log"), reverse=True)
    first: NoPace | None = None
    for log in logs[:MOST_LOGS]:
        found = _read(log, pattern)
        if isinstance(found, Measured):
            return found
        first = first or NoPace(f"{log.name}: {found.why}")
    return first or NoPace("no smoke test has left a log yet; run `preflight check smoke-test`")


def _read(log: Path, pattern: re.Pattern[str] | None) -> Measured | NoPace:
    named = NAME.fullmatch(log.name)
    if named is None:
        return NoPace("its name holds no time")
    at = datetime.strptime(named[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    try:
        with log.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - MOST_BYTES))
            text = file.read(MOST_BYTES).decode("utf-8", "replace")
            ended = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError as e:
        return NoPace(f"it can't be read: {e.strerror or e}")
    pace = pace_of(text.split("\n"), pattern)
    if isinstance(pace, NoPace):
        return pace
    took = (ended - at).total_seconds()
    one = pace.epoch_s or pace.step_s
    if one is not None and one > took + 60:
        return NoPace(f"{pace.basis}, and the whole run took {took:.0f} s: that is no epoch's time")
    return Measured(pace, log, at)
