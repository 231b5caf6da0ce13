"""Annotations for GitHub Actions: workflow commands, worst first.

GitHub shows 10 errors and 10 warnings of a step and drops the rest without a word (actions/toolkit issue 734),
so the last line says how many there were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from preflight.events import Event
from preflight.model import Check, Finding, Report, Result, Severity, Target
from preflight.report.ordered import findings, unanswered
from preflight.report.text import printable

MOST = 10
COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


class GithubReporter:
    def __init__(self, to: TextIO) -> None:
        self.to = to

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        """Nothing before the end."""

    def observe(self, event: Event) -> None:
        """As begin."""

    def finish(self, report: Report) -> None:
        for result in unanswered(report):
            text = f"{result.check.name} could not look: {result.reason}"
            self._say("error", text, title=f"preflight {result.check.id}")
        shown = dict.fromkeys(Severity, 0)
        pairs = findings(report)
        for result, finding in pairs:
            shown[finding.severity] += 1
            if shown[finding.severity] <= MOST:
                self._finding(result, finding)
        counts = ", ".join(f"{n} {s}{'s' if n > 1 else ''}" for s, n in shown.items() if n) or "no findings"
        hidden = sum(max(0, n - MOST) for n in shown.values())
        more = f"; {hidden} more than GitHub shows, all in the JSON report" if hidden else ""
        self.to.write(f"preflight: {report.verdict} ({counts}{more})\n")

    def _finding(self, result: Result, finding: Finding) -> None:
        text = "\n".join(
            part for part in (finding.message, finding.why, f"fix: {finding.remedy}" if finding.remedy else "") if part
        )
        place: dict[str, str | int] = {}
        if finding.where is not None:
            place["file"] = finding.where.path
            if finding.where.line:
                place["line"] = finding.where.line
            if finding.where.column:
                place["col"] = finding.where.column
        self._say(COMMANDS[finding.severity], text, **place, title=f"{result.check.id} {result.check.name}")

    def _say(self, command: str, text: str, **properties: str | int) -> None:
        said = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        self.to.write(f"::{command} {said}::{_data(text)}\n")


def _data(text: str) -> str:
    lines = "\n".join(printable(line) for line in text.splitlines())
    return lines.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
