"""Paid passes that are remembered: for exactly one fingerprint, in the user's state folder, sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from preflight.settings import folder_of
from preflight.state import machine_key

SCHEMA = "preflight.pass/1"


@dataclass(frozen=True)
class Pass:
    """``said`` is what the check saw then; ``at`` is when, in UTC."""

    check_id: str
    fingerprint: str
    at: datetime
    said: str


def remember(state: Path, project: Path, given: Pass) -> None:
    """Replaces what was remembered of this check.  Raises OSError."""
    row = {
        "schema": SCHEMA,
        "project": str(project.resolve()),
        "check": given.check_id,
        "fingerprint": given.fingerprint,
        "at": given.at.isoformat(),
        "said": given.said,
    }
    key = machine_key.load_or_make(state)
    machine_key.write_sealed(folder_of(state, project) / f"{given.check_id}.json", key, row)


def recall(state: Path, project: Path, check_id: str, fingerprint: str) -> Pass | None:
    """The pass of this check for exactly this fingerprint; None when there is none, or it can't be trusted."""
    file = folder_of(state, project) / f"{check_id}.json"
    try:
        row = machine_key.read_sealed(file, machine_key.load(state))
    except (OSError, machine_key.BrokenSeal):
        return None
    wanted = {"schema": SCHEMA, "project": str(project.resolve()), "check": check_id, "fingerprint": fingerprint}
    if any(row.get(name) != value for name, value in wanted.items()):
        return None
    return Pass(check_id, fingerprint, datetime.fromisoformat(row["at"]), row["said"])
