"""The JSON document ``preflight.report/1``.  Keys are only ever added; a changed meaning is a new number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO

import preflight
from preflight.events import Event
from preflight.model import Changed, Check, Finding, Report, Result, Target

SCHEMA = "preflight.report/1"


class JsonReporter:
    def __init__(self, to: TextIO, *, facts_digest: str) -> None:
        self.to = to
        self.facts_digest = facts_digest

    def begin(self, target: Target, checks: Sequence[Check]) -> None:
        """Nothing is written before the end: the document is whole or not there."""

    def observe(self, event: Event) -> None:
        """As begin."""

    def finish(self, report: Report) -> None:
        json.dump(document(report, facts_digest=self.facts_digest), self.to, indent=2, ensure_ascii=False)
        self.to.write("\n")


def document(report: Report, *, facts_digest: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "tool": {"name": "preflight", "version": preflight.__version__},
        "facts_digest": facts_digest,
        "target": {
            "app": report.target.app,
            "apps": list(report.target.apps or filter(None, [report.target.app])),
            "environment": report.target.environment,
            "workspace": report.target.workspace,
            "sandbox": report.target.sandbox,
        },
        "started": report.started.isoformat(timespec="milliseconds"),
        "seconds": round(report.seconds, 3),
        "spent_usd": float(report.spent_usd),
        "verdict": report.verdict.value,
        "exit": int(report.exit),
        "counts": {status.value: count for status, count in report.counts.items()},
        "results": [_result(r) for r in report.results],
        **({} if report.changed is None else {"changed": _changed(report.changed)}),
    }


def _changed(changed: Changed) -> dict[str, Any]:
    return {
        "since": changed.since and changed.since.isoformat(timespec="seconds"),
        "differs": [{"group": c.group, "name": c.name, "before": c.before, "after": c.after} for c in changed.changes],
        "note": changed.note,
    }


def _result(result: Result) -> dict[str, Any]:
    check = result.check
    return {
        "id": check.id,
        "name": check.name,
        "title": check.title,
        "step": check.step,
        "stage": check.stage.value,
        "status": result.status.value,
        "seconds": round(result.seconds, 3),
        "reason": result.reason,
        "blocked_by": result.blocked_by or None,
        "settled_by": result.settled_by or None,
        "assumed": result.assumed or None,
        "spent_usd": float(result.spent_usd),
        "seen": dict(result.answer.seen) if result.answer else {},
        "findings": [finding(f) for f in result.findings],
    }


def finding(found: Finding) -> dict[str, Any]:
    where = found.where
    return {
        "severity": found.severity.value,
        "message": found.message,
        "remedy": found.remedy,
        "why": found.why,
        "where": where and {"path": where.path, "line": where.line or None, "column": where.column or None},
        "evidence": list(found.evidence),
        "fix": found.fix and ("safe" if found.fix.is_safe else "unsafe"),
    }
