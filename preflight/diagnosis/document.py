"""`preflight.diagnosis/1`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from preflight.diagnosis.model import Cause, Diagnosis
from preflight.model import Json

SCHEMA = "preflight.diagnosis/1"
NOT_SHOWN = ("explained_lines", "subject", "concerns")
SCHEMA_OF_SEVERAL = "preflight.diagnoses/1"


def document(diagnosis: Diagnosis) -> dict[str, Json]:
    failure = diagnosis.failure
    return {
        "schema": SCHEMA,
        "verdict": diagnosis.verdict.value,
        "causes": [_cause(c) for c in diagnosis.causes],
        "failure": {"line": failure.line, "excerpt": failure.excerpt} if failure else None,
        "lines": diagnosis.lines,
    }


def documents(found: Mapping[str, Diagnosis]) -> dict[str, Json]:
    """`preflight.diagnoses/1`: several logs, each with its document, and the logs of each first cause."""
    causes: dict[str, list[Json]] = {}
    for name, diagnosis in found.items():
        for cause in diagnosis.causes[:1]:
            causes.setdefault(cause.rule, []).append(name)
    return {
        "schema": SCHEMA_OF_SEVERAL,
        "logs": [{"name": name, "diagnosis": document(diagnosis)} for name, diagnosis in found.items()],
        "groups": [{"rule": rule, "logs": names} for rule, names in causes.items()],
    }


def _cause(cause: Cause) -> Json:
    of_cause = msgspec.to_builtins(cause)
    return {name: value for name, value in of_cause.items() if name not in NOT_SHOWN}
