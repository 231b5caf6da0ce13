"""`preflight.diagnosis/1`."""

from __future__ import annotations

from preflight.diagnosis.model import Cause, Diagnosis
from preflight.model import Json

SCHEMA = "preflight.diagnosis/1"


def document(diagnosis: Diagnosis) -> dict[str, Json]:
    failure = diagnosis.failure
    return {
        "schema": SCHEMA,
        "verdict": diagnosis.verdict.value,
        "causes": [_cause(c) for c in diagnosis.causes],
        "failure": {"line": failure.line, "excerpt": failure.excerpt} if failure else None,
        "lines": diagnosis.lines,
    }


def _cause(cause: Cause) -> Json:
    return {
        "rule": cause.rule,
        "title": cause.title,
        "phase": cause.phase,
        "line": cause.line,
        "excerpt": cause.excerpt,
        "why": cause.why,
        "remedy": cause.remedy,
        "explains": list(cause.explains),
        "confidence": cause.confidence.value,
        "source": cause.source,
    }
