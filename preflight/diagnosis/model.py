"""What a log says, as values and as documents: a rule's hits, the causes made of them, and an unknown failure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from preflight.model import Json

SCHEMA, SCHEMA_OF_SEVERAL = "preflight.diagnosis/1", "preflight.diagnoses/1"
NOT_SHOWN = ("explained_lines", "subject", "concerns")  # of a cause


class Verdict(enum.StrEnum):
    KNOWN = "known"
    UNKNOWN = "unknown"
    CLEAN = "clean"


class Confidence(enum.StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Weight(enum.IntEnum):
    """What a line's own words leave of it: said to be caught, tried again, only warned of, or nothing of the kind."""

    CAUGHT = 0
    RETRIED = 1
    WARNED = 2
    FIRM = 3


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One place where a rule's pattern holds. ``line`` counts from 1; ``excerpt`` is redacted and at most 4 lines.

    ``at`` is the place in bytes from the log's begin, ``origin`` the program it is of where several share a log.
    """

    line: int
    excerpt: str
    captures: Mapping[str, str] = field(default_factory=dict)
    weight: Weight = Weight.FIRM
    at: int = 0
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """``explains`` holds the ids of the rules whose hits follow from this one. ``subject`` is the package, file or key
    that the log names, ``concerns`` the part of an app that the remedy speaks of.
    """

    rule: str
    title: str
    phase: str
    line: int
    excerpt: str
    why: str
    remedy: str
    explains: tuple[str, ...]
    explained_lines: int
    confidence: Confidence
    source: str
    subject: str = ""
    concerns: str = ""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The last sign of failure in a log whose cause no rule knows."""

    line: int
    excerpt: str


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """``causes`` stands first cause first. ``failure`` is None where a cause is known or nothing failed; with it comes
    ``excerpt``: the redacted lines around it, to be shown to someone who may know.
    """

    causes: tuple[Cause, ...]
    failure: Failure | None
    lines: int
    excerpt: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.causes:
            return Verdict.KNOWN
        return Verdict.UNKNOWN if self.failure else Verdict.CLEAN


def document(diagnosis: Diagnosis) -> dict[str, Json]:
    """`preflight.diagnosis/1`."""
    failure = diagnosis.failure
    return {
        "schema": SCHEMA,
        "verdict": diagnosis.verdict.value,
        "causes": [
            {name: value for name, value in msgspec.to_builtins(cause).items() if name not in NOT_SHOWN}
            for cause in diagnosis.causes
        ],
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
