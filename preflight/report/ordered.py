"""Findings as a flat list, worst first, and what is told together: what the formats for other tools are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from preflight.model import UNANSWERED, WORST_FIRST, Check, Finding, Report, Result, Severity, Status

T = TypeVar("T")
K = TypeVar("K")
rank = list(Severity).index  # 0 is the worst


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """What has the same key, in the order of each group's first."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def findings(report: Report) -> list[tuple[Result, Finding]]:
    """Every finding with its result: errors, then warnings, then advice; checklist order within."""
    pairs = [(r, f) for r in report.results for f in r.findings]
    return sorted(pairs, key=lambda pair: rank(pair[1].severity))


def is_open(result: Result) -> bool:
    """A check without an answer has no finding, and must not vanish from a list of findings."""
    return result.status in UNANSWERED or (result.status is Status.UNKNOWN and not result.settled_by)


def causes(report: Report) -> list[tuple[Result, list[Result]]]:
    """The checks without an answer, one a cause: the one that explains it, and those that only wait for it.

    Where the explaining check has failed, its finding is the cause, and nothing is left to tell.
    """
    by_id = {r.check.id: r for r in report.results}
    waited_for = {r.blocked_by for r in report.results}

    def cause(result: Result) -> str:
        root = by_id.get(result.blocked_by, result)
        return root.check.id if root.check.id in waited_for else root.reason

    told = []
    for key, same in grouped(filter(is_open, report.results), cause).items():
        root = by_id.get(key, same[0])
        if root.status is not Status.FAIL:
            root = root if is_open(root) else same[0]
            told.append((root, [r for r in same if r is not root]))
    return told


def bad(report: Report) -> list[Result]:
    """Results that keep the verdict from being ready, worst first."""
    found = (r for r in report.results if r.status not in (Status.PASS, Status.SKIP) and not r.settled_by)
    return sorted(found, key=lambda r: WORST_FIRST.index(r.status))


def fingerprint(check: Check, finding: Finding) -> str:
    """The same for the same finding of the same file, wherever its line moves to."""
    key = f"{check.id}\0{finding.where.path if finding.where else ''}\0{finding.message}"
    return hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()[:32]
