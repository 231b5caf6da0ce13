"""What a run tells while it goes on, and who is told.  Nothing in the engine depends on it being drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from preflight.model import Check, Price, Report, Result, Target


@dataclass(frozen=True)
class Started:
    check: Check


@dataclass(frozen=True)
class Progress:
    """``name`` is the check's or lookup's; ``text`` one line of what it is doing."""

    name: str
    text: str


@dataclass(frozen=True)
class Priced:
    """A paid check is about to start and expects to spend this, for ``app`` in a run over several."""

    check: Check
    price: Price
    app: str = ""


@dataclass(frozen=True)
class Waiting:
    """Another round of ``names`` starts in ``seconds``; ``left_s`` remain of --wait."""

    names: tuple[str, ...]
    seconds: float
    left_s: float


@dataclass(frozen=True)
class SpentSoFar:
    """``usd`` is what preflight has spent on this project in ``steps`` paid steps, this run's among them."""

    usd: Decimal
    steps: int
    since: datetime


Event: TypeAlias = Started | Progress | Priced | Waiting | SpentSoFar | Result


class Reporter:
    """It is told what happens and draws it; it decides nothing.  ``title``: its name where it could not be written."""

    title = "the console report"

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        """Before the first check; ``checks`` in checklist order."""

    def observe(self, event: Event) -> None:
        """While they run, in the order of happening."""

    def finish(self, report: Report) -> None:
        """Once, after the last."""
