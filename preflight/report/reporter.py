"""What a reporter is: it is told what happens and draws it; it decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from preflight.events import Event
from preflight.model import Check, Report, Target


class Reporter:
    """``title`` is what a message calls it that says that it could not be written."""

    title = "the console report"

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        """Before the first check; ``checks`` in checklist order."""

    def observe(self, event: Event) -> None:
        """While they run, in the order of happening."""

    def finish(self, report: Report) -> None:
        """Once, after the last."""
