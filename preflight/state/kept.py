"""The facts of the last passing runs, in the user's state folder: one file an app and a stage."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from preflight.model import Stage
from preflight.settings import folder_of
from preflight.state.vector import Vector

SCHEMA = "preflight.worked/1"
MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Worked:
    """A passing run: when, as far as which stage, and on what it stood."""

    at: datetime
    stage: Stage
    facts: Vector


@dataclass(frozen=True)
class Unreadable:
    """A file that is not used; ``why`` says what is wrong with it."""

    file: Path
    why: str


def keep(state: Path, project: Path, app: str, worked: Worked) -> None:
    """Replaces what was kept of this app and stage.  Raises OSError."""
    file = _file(state, project, app, worked.stage)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    row = {
        "schema": SCHEMA,
        "app": app,
        "stage": worked.stage.value,
        "at": worked.at.isoformat(),
        "facts": worked.facts,
    }
    part = file.with_suffix(f".{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(row, opened, indent=1)
    part.replace(file)


def kept(state: Path, project: Path, app: str) -> tuple[list[Worked], list[Unreadable]]:
    """What was kept of this app, newest first, and the files that can't be used."""
    good, bad = [], []
    for each in _read(state, project, app):
        if isinstance(each, Worked):
            good.append(each)
        else:
            bad.append(each)
    return sorted(good, key=lambda w: w.at, reverse=True), bad


def _file(state: Path, project: Path, app: str, stage: Stage) -> Path:
    digest = hashlib.sha256(app.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return folder_of(state, project) / f"worked-{digest}-{stage.value}.json"


def _read(state: Path, project: Path, app: str) -> Iterator[Worked | Unreadable]:
    for stage in Stage:
        file = _file(state, project, app, stage)
        try:
            if file.stat().st_size > MOST_BYTES:
                yield Unreadable(file, "it is larger than this ever writes")
                continue
            row = json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            continue
        except OSError as e:
            yield Unreadable(file, e.strerror or str(e))
            continue
        except (ValueError, RecursionError):
            yield Unreadable(file, "it is not JSON")
            continue
        yield _worked(row, app, stage) or Unreadable(file, f"it is no {SCHEMA} of this app")


def _worked(row: object, app: str, stage: Stage) -> Worked | None:
    """Typed; None for anything that this version has not written itself."""
    if not isinstance(row, dict) or (row.get("schema"), row.get("app"), row.get("stage")) != (SCHEMA, app, stage.value):
        return None
    facts, at = row.get("facts"), row.get("at")
    if not isinstance(facts, dict) or not isinstance(at, str):
        return None
    for rows in facts.values():
        if not isinstance(rows, dict) or not all(isinstance(v, str) for v in rows.values()):
            return None
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        return None
    return Worked(when, stage, facts) if when.tzinfo is not None else None
