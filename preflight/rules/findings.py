"""What a rule yields: an error for what is certain to fail, a warning for what may hurt, advice for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, TypedDict, Unpack

from preflight.model import Finding, Fix, Severity, Where

Findings: TypeAlias = Iterator[Finding]


class More(TypedDict, total=False):
    """What a finding may tell beside its message, remedy and place."""

    why: str
    evidence: tuple[str, ...]
    can_clear: bool
    fix: Fix | None


def error(message: str, remedy: str, where: Where | None = None, **more: Unpack[More]) -> Finding:
    return Finding(severity=Severity.ERROR, message=message, remedy=remedy, where=where, **more)


def warning(message: str, remedy: str, where: Where | None = None, **more: Unpack[More]) -> Finding:
    return Finding(severity=Severity.WARNING, message=message, remedy=remedy, where=where, **more)


def advice(message: str, remedy: str, where: Where | None = None, **more: Unpack[More]) -> Finding:
    return Finding(severity=Severity.INFO, message=message, remedy=remedy, where=where, **more)
