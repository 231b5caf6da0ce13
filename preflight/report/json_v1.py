"""The JSON document ``preflight.report/1``.  Keys are only ever added; a changed meaning is a new number."""

from __future__ import annotations

from dataclasses import asdict

import preflight
from preflight.changes import Changed
from preflight.facts.in_force import digest
from preflight.model import Check, Finding, Report, Result
from preflight.report.baseline import Compared
from preflight.report.ordered import fingerprint
from preflight.report.text import as_json

SCHEMA = "preflight.report/1"


def text(report: Report, compared: Compared | None = None) -> str:
    return as_json(document(report, compared))


def document(report: Report, compared: Compared | None = None) -> dict[str, object]:
    """``compared`` is how the report compares with a baseline."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "preflight", "version": preflight.__version__},
        "facts_digest": digest(),
        "target": {
            "app": report.target.app,
            "apps": report.target.apps or [*filter(None, [report.target.app])],
            "environment": report.target.environment,
            "workspace": report.target.workspace,
            "sandbox": report.target.sandbox,
            **({"passed_over": report.target.passed_over} if report.target.passed_over else {}),
        },
        "started": report.started.isoformat(timespec="milliseconds"),
        "seconds": round(report.seconds, 3),
        "spent_usd": float(report.spent_usd),
        "verdict": report.verdict.value,
        "exit": int(report.exit),
        "counts": {status.value: count for status, count in report.counts.items()},
        "results": [_result(r) for r in report.results],
        **({} if report.command_started is None else {"command_started": report.command_started}),
        **({} if report.changed is None else {"changed": _changed(report.changed)}),
        **({} if compared is None else {"baseline": asdict(compared)}),
    }


def _changed(changed: Changed) -> dict[str, object]:
    return {
        "since": changed.since and changed.since.isoformat(timespec="seconds"),
        "differs": list(map(asdict, changed.changes)),
        "note": changed.note,
    }


def _result(result: Result) -> dict[str, object]:
    check = result.check
    return {
        "id": check.id,
        "name": check.name,
        "title": check.title,
        "step": check.step,
        "stage": check.stage.value,
        "plugin": check.origin or None,
        "status": result.status.value,
        "seconds": round(result.seconds, 3),
        "reason": result.reason,
        "blocked_by": result.blocked_by or None,
        "settled_by": result.settled_by or None,
        "assumed": result.assumed or None,
        "spent_usd": float(result.spent_usd),
        "seen": dict(result.answer.seen) if result.answer else {},
        "findings": [_finding(f, check) for f in result.findings],
    }


def _finding(found: Finding, check: Check) -> dict[str, object]:
    where = found.where
    return {
        "severity": found.severity.value,
        "message": found.message,
        "remedy": found.remedy,
        "why": found.why,
        "where": where and {"path": where.path, "line": where.line or None, "column": where.column or None},
        "evidence": found.evidence,
        "fix": found.fix and {"safe": found.fix.is_safe, "edits": list(map(asdict, found.fix.edits))},
        "fingerprint": fingerprint(check, found),
    }
