"""What preflight itself has spent on a project: one line before each paid step starts, one when it has ended.

A step whose end is missing (a kill, a lost machine) counts at its estimate: money is never forgotten.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from preflight.events import Event, Priced
from preflight.model import Json, Result
from preflight.settings import folder_of


@dataclass(frozen=True)
class Spent:
    """``usd`` over ``steps`` paid steps since the first; ``open_steps`` of them never told how they ended."""

    usd: Decimal
    steps: int
    open_steps: int
    since: datetime


class Ledger:
    """One run's view of a project's ledger.  Raises OSError where it can't be written."""

    def __init__(self, state: Path, project: Path) -> None:
        self.file = folder_of(state, project) / "spend.jsonl"
        self.run = secrets.token_hex(8)
        self.running: set[str] = set()

    def observe(self, event: Event) -> None:
        if isinstance(event, Priced) and event.price.usd:
            self.running.add(event.check.id)
            self._add(event.check.id, "starts", event.price.usd, basis=event.price.basis)
        elif isinstance(event, Result) and event.check.id in self.running:
            self.running.discard(event.check.id)
            self._add(event.check.id, "ended", event.spent_usd, status=event.status.value)

    def total(self) -> Spent | None:
        """None when nothing was ever spent, or it can't be read.  A line that is not whole is left out."""
        try:
            lines = self.file.read_text("utf-8", "replace").splitlines() if self.file.is_file() else []
        except OSError:
            return None
        dollars: dict[tuple[str, str], Decimal] = {}
        is_open: dict[tuple[str, str], bool] = {}
        first: datetime | None = None
        for line in lines:
            row = _row(line)
            if row is not None:
                step, at, is_start, usd = row
                dollars[step], is_open[step], first = usd, is_start, first or at
        if first is None:
            return None
        return Spent(sum(dollars.values(), Decimal(0)), len(dollars), sum(is_open.values()), first)

    def _add(self, check: str, event: str, usd: Decimal, **more: Json) -> None:
        row = {"at": datetime.now(UTC).isoformat(), "run": self.run, "check": check, "event": event, "usd": str(usd)}
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, ("\n" + json.dumps(row | more)).encode())  # a torn line before can't swallow this one
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _row(line: str) -> tuple[tuple[str, str], datetime, bool, Decimal] | None:
    try:
        row = json.loads(line)
        step, usd = (str(row["run"]), str(row["check"])), Decimal(row["usd"])
        return (step, datetime.fromisoformat(row["at"]), row["event"] == "starts", usd) if usd.is_finite() else None
    except (ValueError, KeyError, TypeError, InvalidOperation):
        return None
