"""SARIF 2.1.0 for code scanning: findings at their lines; checks that could not look are tool notifications."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, TextIO

import preflight
from preflight.events import Event
from preflight.model import Check, Finding, Report, Result, Severity, Target
from preflight.report.ordered import findings, unanswered
from preflight.report.text import printable

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


class SarifReporter:
    def __init__(self, to: TextIO) -> None:
        self.to = to

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        """Nothing before the end."""

    def observe(self, event: Event) -> None:
        """As begin."""

    def finish(self, report: Report) -> None:
        json.dump(document(report), self.to, indent=2, ensure_ascii=False)
        self.to.write("\n")


def document(report: Report) -> dict[str, Any]:
    notifications = [
        {
            "level": "error",
            "message": {"text": printable(f"{r.check.name} could not look ({r.status}): {r.reason}")},
            "descriptor": {"id": r.check.id},
        }
        for r in unanswered(report)
    ]
    run = {
        "tool": {
            "driver": {
                "name": "preflight",
                "version": preflight.__version__,
                "rules": [_rule(r.check) for r in report.results],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not notifications and not report.is_interrupted,
                "exitCode": int(report.exit),
                "exitCodeDescription": report.verdict.value,
                "startTimeUtc": report.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "toolExecutionNotifications": notifications,
            }
        ],
        "results": [_result(r, f) for r, f in findings(report)],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "name": check.name,
        "shortDescription": {"text": check.title},
        "help": {"text": check.doc or check.title},
    }


def _result(result: Result, finding: Finding) -> dict[str, Any]:
    text = "\n".join(part for part in (finding.message, finding.why, finding.remedy) if part)
    where = finding.where
    key = f"{result.check.id}\0{where.path if where else ''}\0{finding.message}"
    one: dict[str, Any] = {
        "ruleId": result.check.id,
        "level": LEVELS[finding.severity],
        "message": {"text": printable(text)},
        "partialFingerprints": {"preflight/v1": hashlib.sha256(key.encode()).hexdigest()[:32]},
    }
    if where is not None:
        region = {"startLine": where.line} if where.line else {}
        if where.line and where.column:
            region["startColumn"] = where.column
        location: dict[str, Any] = {"artifactLocation": {"uri": where.path.replace("\\", "/")}}
        if region:
            location["region"] = region
        one["locations"] = [{"physicalLocation": location}]
    return one
