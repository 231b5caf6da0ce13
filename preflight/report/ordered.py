"""Findings as a flat list, worst first: what the formats for other tools are made of."""

from __future__ import annotations

from collections.abc import Iterator

from preflight.model import UNANSWERED, Finding, Report, Result, Severity, Status

RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def findings(report: Report) -> list[tuple[Result, Finding]]:
    """Every finding with its result: errors, then warnings, then advice; checklist order within."""
    pairs = [(r, f) for r in report.results for f in r.findings]
    return sorted(pairs, key=lambda pair: RANK[pair[1].severity])


def unanswered(report: Report) -> Iterator[Result]:
    """Checks that could not look: they have no finding, and must not vanish from a list of findings."""
    return (r for r in report.results if r.status in UNANSWERED)


def bad(report: Report) -> list[Result]:
    """Results that keep the verdict from being ready, worst first."""
    order = (Status.FAIL, Status.ERROR, Status.BLOCKED, Status.UNKNOWN, Status.WARN)
    return [r for status in order for r in report.results if r.status is status]
