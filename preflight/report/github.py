"""Annotations for GitHub Actions: workflow commands, worst first, one a cause.

GitHub shows 10 errors and 10 warnings of a step and drops the rest without a word (actions/toolkit issue 734),
so the last line says how many there were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from preflight.model import Finding, Report, Result, Severity, Status, Where
from preflight.report.baseline import Compared
from preflight.report.ordered import causes, findings
from preflight.report.places import place_of
from preflight.report.text import one_line, printable
from preflight.report.words import command_line
from preflight.wording import counted, listed

MOST = 10
COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


@dataclass(frozen=True)
class _Note:
    severity: Severity
    title: str
    text: str
    where: Where


def text(report: Report, compared: Compared | None = None) -> str:
    shown = dict.fromkeys(Severity, 0)
    lines = []
    for note in sorted(_notes(report), key=lambda n: list(Severity).index(n.severity)):
        shown[note.severity] += 1
        if shown[note.severity] <= MOST:
            lines.append(_command(note))
    counts = ", ".join(counted(n, s.value) for s, n in shown.items() if n) or "no findings"
    hidden = sum(max(0, n - MOST) for n in shown.values())
    more = f"; {hidden} more than GitHub shows, all in the JSON report" if hidden else ""
    more += f"; {len(report.target.passed_over)} not looked at" if report.target.passed_over else ""
    since = f"; against the baseline: {compared}" if compared else ""
    command = f"; {command_line(report)}" if report.command_started is not None else ""
    return "\n".join([*lines, f"preflight: {report.verdict} ({counts}{more}{since}{command})"]) + "\n"


def _notes(report: Report) -> Iterator[_Note]:
    same: dict[tuple[str, str], list[Finding]] = {}
    by_id = {}
    for result, finding in findings(report):
        same.setdefault((result.check.id, finding.message), []).append(finding)
        by_id[result.check.id] = result
    for (check_id, _), found in same.items():
        yield _of_finding(report, by_id[check_id], found)
    for root, waiting in causes(report):
        word = "could not decide" if root.status is Status.UNKNOWN else "could not look"
        others = f" (and {listed([r.check.name for r in waiting])})" if waiting else ""
        said = f"{root.check.name}{others} {word}: {root.reason}"
        yield _Note(Severity.ERROR, f"preflight {root.check.id}", said, place_of(report, _NOWHERE))


_NOWHERE = Finding(severity=Severity.INFO, message="without a place of its own", remedy="")


def _of_finding(report: Report, result: Result, found: list[Finding]) -> _Note:
    first = found[0]
    more = [str(f.where) for f in found[1:] if f.where]
    fix = f"fix: {first.remedy}" if first.remedy else ""
    parts = (first.message, first.why, fix, f"also at {listed(more)}" if more else "")
    title = f"{result.check.id} {result.check.name}"
    return _Note(first.severity, title, "\n".join(p for p in parts if p), place_of(report, first))


def _command(note: _Note) -> str:
    place: dict[str, str | int] = {"file": note.where.path}
    if note.where.line:
        place |= {"line": note.where.line, "endLine": note.where.line}
    if note.where.column:
        place["col"] = note.where.column
    given = {**place, "title": note.title}
    said = ",".join(f"{key}={_property(str(value))}" for key, value in given.items())
    return f"::{COMMANDS[note.severity]} {said}::{_data(note.text)}"


def _data(text: str) -> str:
    lines = "\n".join(printable(line) for line in text.splitlines())
    return lines.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(text)).replace(":", "%3A").replace(",", "%2C")
