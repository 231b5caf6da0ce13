"""What a rule yields: an error for what is certain to fail, a warning for what may hurt, advice for the rest."""

from __future__ import annotations

from preflight.model import Finding, Fix, Severity, Where


def error(
    message: str,
    remedy: str,
    where: Where | None,
    *,
    why: str = "",
    evidence: tuple[str, ...] = (),
    fix: Fix | None = None,
) -> Finding:
    return _finding(Severity.ERROR, message, remedy, where, why, evidence, fix)


def warning(
    message: str,
    remedy: str,
    where: Where | None,
    *,
    why: str = "",
    evidence: tuple[str, ...] = (),
    fix: Fix | None = None,
) -> Finding:
    return _finding(Severity.WARNING, message, remedy, where, why, evidence, fix)


def advice(
    message: str,
    remedy: str,
    where: Where | None,
    *,
    why: str = "",
    evidence: tuple[str, ...] = (),
    fix: Fix | None = None,
) -> Finding:
    return _finding(Severity.INFO, message, remedy, where, why, evidence, fix)


def _finding(
    severity: Severity,
    message: str,
    remedy: str,
    where: Where | None,
    why: str,
    evidence: tuple[str, ...],
    fix: Fix | None,
) -> Finding:
    return Finding(severity=severity, message=message, remedy=remedy, where=where, why=why, evidence=evidence, fix=fix)
