"""Findings as a flat list, worst first: what the formats for other tools are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from preflight.model import UNANSWERED, Check, Finding, Report, Result, Severity, Status

RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def findings(report: Report) -> list[tuple[Result, Finding]]:
    """Every finding with its result: errors, then warnings, then advice; checklist order within."""
    pairs = [(r, f) for r in report.results for f in r.findings]
    return sorted(pairs, key=lambda pair: RANK[pair[1].severity])


def open_questions(report: Report) -> Iterator[Result]:
    """Checks without an answer: they have no finding, and must not vanish from a list of findings."""
    return (r for r in report.results if is_open(r))


def is_open(result: Result) -> bool:
    return result.status in UNANSWERED or (result.status is Status.UNKNOWN and not result.settled_by)


def causes(report: Report) -> list[tuple[Result, list[Result]]]:
    """The checks without an answer, one a cause: the one that explains it, and those that only wait for it.

    Where the explaining check has failed, its finding is the cause, and nothing is left to tell.
    """
    by_id = {r.check.id: r for r in report.results}
    waited_for = {r.blocked_by for r in report.results if r.blocked_by}
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in open_questions(report):
        root = by_id.get(result.blocked_by, result)
        key = (root.check.id, "") if root.check.id in waited_for else ("", root.reason)
        groups.setdefault(key, []).append(result)
    told = []
    for (check_id, _), same in groups.items():
        root = by_id.get(check_id, same[0])
        if root.status is Status.FAIL:
            continue
        root = root if is_open(root) else same[0]
        told.append((root, [r for r in same if r is not root]))
    return told


def bad(report: Report) -> list[Result]:
    """Results that keep the verdict from being ready, worst first."""
    order = (Status.FAIL, Status.ERROR, Status.BLOCKED, Status.UNKNOWN, Status.WARN)
    return [r for status in order for r in report.results if r.status is status and not r.settled_by]


def fingerprint(check: Check, finding: Finding) -> str:
    """The same for the same finding of the same file, wherever its line moves to."""
    key = f"{check.id}\0{finding.where.path if finding.where else ''}\0{finding.message}"
    return hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()[:32]
