"""Annotations for GitHub Actions: workflow commands, worst first, one a cause.

GitHub shows 10 errors and 10 warnings of a step and drops the rest without a word (actions/toolkit issue 734),
so the last line says how many there were.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from preflight.model import Report, Severity, Status, Where
from preflight.report.baseline import Compared
from preflight.report.ordered import causes, command_line, findings, grouped, rank
from preflight.report.places import place_of
from preflight.report.text import one_line, printable
from preflight.wording import counted, listed

MOST = 10
COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


class _Note(NamedTuple):
    severity: Severity
    title: str
    text: str
    where: Where


def text(report: Report, compared: Compared | None = None) -> str:
    shown = dict.fromkeys(Severity, 0)
    lines = []
    for note in sorted(_notes(report), key=lambda n: rank(n.severity)):
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
    for same in grouped(findings(report), lambda pair: (pair[0].check.id, pair[1].message)).values():
        (result, first), *others = same
        more = [str(f.where) for _, f in others if f.where]
        fix = f"fix: {first.remedy}" if first.remedy else ""
        parts = (first.message, first.why, fix, f"also at {listed(more)}" if more else "")
        title = f"{result.check.id} {result.check.name}"
        yield _Note(first.severity, title, "\n".join(p for p in parts if p), place_of(report, first))
    for root, waiting in causes(report):
        word = "could not decide" if root.status is Status.UNKNOWN else "could not look"
        also = f" (and {listed([r.check.name for r in waiting])})" if waiting else ""
        message = f"{root.check.name}{also} {word}: {root.reason}"
        yield _Note(Severity.ERROR, f"preflight {root.check.id}", message, place_of(report))


def _command(note: _Note) -> str:
    path, line, column = note.where.path, note.where.line, note.where.column
    properties = {"file": path, "line": line, "endLine": line, "col": column, "title": note.title}
    listing = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value)
    return f"::{COMMANDS[note.severity]} {listing}::{_data(note.text)}"


def _data(text: str) -> str:
    lines = "\n".join(printable(line) for line in text.splitlines())
    return lines.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(text)).replace(":", "%3A").replace(",", "%2C")
