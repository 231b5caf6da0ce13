"""Paid passes that are remembered: for exactly one fingerprint, in the user's state folder, sealed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from preflight.settings import folder_of
from preflight.state import machine_key

SCHEMA = "preflight.pass/1"


@dataclass(frozen=True)
class Pass:
    """``summary`` is what the check saw then; ``at`` is when, in UTC."""

    check: str
    fingerprint: str
    at: datetime
    summary: str


def remember(state: Path, project: Path, given: Pass) -> None:
    """Replaces what was remembered of this check.  Raises OSError."""
    row = asdict(given) | {"schema": SCHEMA, "project": str(project.resolve()), "at": given.at.isoformat()}
    machine_key.write_sealed(folder_of(state, project) / f"{given.check}.json", machine_key.load_or_make(state), row)


def recall(state: Path, project: Path, check: str, fingerprint: str) -> Pass | None:
    """The pass of this check for exactly this fingerprint; None when there is none, or it can't be trusted."""
    wanted = {"schema": SCHEMA, "project": str(project.resolve()), "check": check, "fingerprint": fingerprint}
    try:
        row = machine_key.read_sealed(folder_of(state, project) / f"{check}.json", machine_key.load(state))
        found = msgspec.convert(row, Pass)
    except (OSError, machine_key.BrokenSeal, msgspec.ValidationError):
        return None
    return found if row | wanted == row else None
