"""GitLab's code quality report: a list of findings, each with a place, and every check that has no answer."""

from __future__ import annotations

import hashlib
import json

from preflight.model import Check, Report, Severity, Where
from preflight.report.baseline import Compared
from preflight.report.ordered import causes, findings, fingerprint
from preflight.report.places import place_of
from preflight.report.text import one_line

LEVELS = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def text(report: Report, compared: Compared | None = None) -> str:
    rows, seen = [], set()
    for result, finding in findings(report):
        where = place_of(report, finding)
        mark = fingerprint(result.check, finding)
        if mark in seen:  # GitLab takes a repeated one for the same finding
            mark = hashlib.sha256(f"{mark}{where}".encode("utf-8", "backslashreplace")).hexdigest()[:32]
        seen.add(mark)
        message = finding.message + (f" (fix: {finding.remedy})" if finding.remedy else "")
        rows.append(_row(message, result.check, mark, LEVELS[finding.severity], where))
    for root, waiting in causes(report):
        message = f"{root.check.name} has no answer ({root.status}): {root.reason}"
        message += f"; {len(waiting)} more checks wait for it" if waiting else ""
        mark = hashlib.sha256(f"{root.check.id}\0{root.status}".encode()).hexdigest()[:32]
        rows.append(_row(message, root.check, mark, "major", place_of(report)))
    return json.dumps(rows, indent=2) + "\n"


def _row(message: str, check: Check, mark: str, severity: str, where: Where) -> dict[str, object]:
    return {
        "description": one_line(message),
        "check_name": f"{check.id} {check.name}",
        "fingerprint": mark,
        "severity": severity,
        "location": {"path": one_line(where.path), "lines": {"begin": where.line or 1}},
    }
