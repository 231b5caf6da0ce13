"""Paid passes that are remembered: for exactly one fingerprint, in the user's state folder."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Pass:
    """``said`` is what the check saw then; ``at`` is when, in UTC."""

    check_id: str
    fingerprint: str
    at: datetime
    said: str


def folder_of(state: Path, project: Path) -> Path:
    """Where one project's passes and logs are kept.  Two projects never share one."""
    digest = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:16]
    return state / "projects" / digest


def remember(state: Path, project: Path, given: Pass) -> None:
    """Replaces what was remembered of this check.  Raises OSError."""
    file = folder_of(state, project) / f"{given.check_id}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    row = {"fingerprint": given.fingerprint, "at": given.at.isoformat(), "said": given.said}
    part = file.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(row), encoding="utf-8")
    part.replace(file)


def recall(state: Path, project: Path, check_id: str, fingerprint: str) -> Pass | None:
    """The pass of this check for exactly this fingerprint; None when there is none, or it can't be read."""
    file = folder_of(state, project) / f"{check_id}.json"
    try:
        row = json.loads(file.read_text("utf-8"))
        found = Pass(check_id, row["fingerprint"], datetime.fromisoformat(row["at"]), row["said"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.fingerprint == fingerprint else None
