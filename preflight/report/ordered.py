"""What the formats share: findings worst first, what is told together, and what a verdict is called."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from preflight.model import WORST_FIRST, Check, Finding, Report, Result, Severity, Stage, Status, Verdict

T = TypeVar("T")
K = TypeVar("K")
MOST_NAMES = 3  # of checks, beside CLEAN
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


def causes(report: Report) -> list[tuple[Result, list[Result]]]:
    """The checks without an answer, one a cause: the one that explains it, and those that only wait for it.

    Where the explaining check has failed, its finding is the cause, and nothing is left to tell.
    """
    by_id = {r.check.id: r for r in report.results}
    waited_for = {r.blocked_by for r in report.results}

    def cause(result: Result) -> str:
        root = by_id.get(result.blocked_by, result)
        return root.check.id if root.check.id in waited_for else root.reason

    found = []
    for key, same in grouped((r for r in report.results if r.is_open), cause).items():
        root = by_id.get(key, same[0])
        if root.status is not Status.FAIL:
            root = root if root.is_open else same[0]
            found.append((root, [r for r in same if r is not root]))
    return found


def bad(report: Report) -> list[Result]:
    """Results that keep the verdict from being ready, worst first."""
    found = (r for r in report.results if r.status not in (Status.PASS, Status.SKIP) and not r.settled_by)
    return sorted(found, key=lambda r: WORST_FIRST.index(r.status))


def fingerprint(check: Check, finding: Finding) -> str:
    """The same for the same finding of the same file, wherever its line moves to."""
    key = f"{check.id}\0{finding.where.path if finding.where else ''}\0{finding.message}"
    return hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def verdict_word(verdict: Verdict) -> str:
    return verdict.value.replace("-", " ").upper()


def part_of(report: Report) -> str:
    """Of a CLEAN report: "static", "modal-auth", "without gpu-probe"; "" for every other."""
    if report.verdict is not Verdict.CLEAN:
        return ""
    checks = [r.check for r in report.results if not r.is_left_out]
    if len(checks) <= MOST_NAMES:
        return ", ".join(c.name for c in checks)
    stages = {c.stage for c in checks}
    known = sum(int(r.answer.seen.get("known", 0)) for r in report.results if r.answer)
    if stages == {Stage.STATIC}:
        part = "static"
    elif Stage.PAID not in stages:
        part = "without the paid steps"
    else:
        left = [r.check.name for r in report.results if r.is_left_out and r.check.step]
        part = f"without {', '.join(left)}" if left else f"{len(checks)} checks"
    return f"{part}; {known} known to the baseline" if known else part


def command_line(report: Report) -> str:
    """Of a gate's report, whether its command was started; its exit code is then the gate's."""
    return "the command was started" if report.command_started else "the command was not started"
