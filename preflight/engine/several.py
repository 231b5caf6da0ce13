"""What of a run is each app's own, and one check's results over several apps, told as one: the worst status, every
finding with its app, every reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

from preflight.app.lookups import READING
from preflight.lookups import Lookup
from preflight.model import LOOKED, UNANSWERED, WORST_FIRST, Answer, Check, Finding, Result, Status, Where
from preflight.rules.form import counts_of

ByApp = Sequence[tuple[str, Result]]
MOST_NAMED = 6  # apps whose reasons are told one by one


def looks_at_app(check: Check) -> bool:
    """Whether it can't do without the app's file, or would use it."""
    return any(map(reads_app, (*check.needs, *check.tries)))


@cache
def reads_app(lookup: Lookup[Any]) -> bool:
    return lookup is READING or any(map(reads_app, (*lookup.needs, *lookup.tries)))


def together(check: Check, told: ByApp) -> Result:
    """``told`` holds each app's path with its result.

    A check that could not look at one app and warned of another is what it could not look at; the warning stands in
    the reason then.
    """
    if len(told) == 1:
        return told[0][1]
    worst = next(s for s in WORST_FIRST if any(r.status is s for _, r in told))
    of_worst = [r for _, r in told if r.status is worst]
    result = Result(
        check=check,
        status=Status.SKIP,
        seconds=sum(r.seconds for _, r in told),
        reason=_reason(told, worst),
        spent_usd=sum((r.spent_usd for _, r in told), Decimal(0)),
    )
    assumed = next((r for _, r in told if r.assumed), None)
    if worst is Status.SKIP and assumed is not None:
        return replace(assumed, seconds=result.seconds, reason=result.reason, spent_usd=result.spent_usd)
    if worst not in LOOKED and worst is not Status.UNKNOWN:
        return replace(result, status=worst, blocked_by=of_worst[0].blocked_by)
    findings = dict.fromkeys(_of_app(f, app) for app, r in told for f in r.findings)
    answer = Answer(
        summary=result.reason, seen=_seen(told), findings=tuple(sorted(findings, key=lambda f: f.where or Where("")))
    )
    if worst is Status.UNKNOWN:
        return replace(result, status=worst, answer=answer, settled_by=min(r.settled_by for r in of_worst))
    return replace(result, status=answer.status, answer=answer)


def _of_app(finding: Finding, app: str) -> Finding:
    """With a place: the app's file, where the finding names none."""
    return finding if finding.where is not None else replace(finding, where=Where(app))


def _seen(told: ByApp) -> dict[str, object]:
    """What each app was seen to hold; of many, how many were looked at."""
    seen = {app: {"status": r.status.value, **(r.answer.seen if r.answer else {})} for app, r in told}
    ignored = sum(int(each.get("ignored", 0)) for each in seen.values())
    counts: dict[str, object] = {"files": sum(r.answer is not None for _, r in told)}
    if ignored:
        counts["ignored"] = ignored
    return counts if len(told) > MOST_NAMED else counts | {"apps": seen}


def _reason(told: ByApp, worst: Status) -> str:
    if len({r.reason for _, r in told}) == 1:
        return told[0][1].reason
    if len(told) <= MOST_NAMED:
        return "; ".join(_named(app, result, worst) for app, result in told)
    if worst is Status.SKIP:
        return f"there is nothing to look at in any of {len(told)} apps"
    if worst in LOOKED:
        unlooked = sum(r.status in UNANSWERED for _, r in told)
        ignored = _seen(told).get("ignored")
        counts = counts_of(tuple({f: None for _, r in told for f in r.findings}))
        said = f"looked at {sum(r.answer is not None for _, r in told)} of {len(told)} apps"
        said = f"{counts}; {said}" if counts else said
        said += f"; {unlooked} could not be looked at" if unlooked else ""
        return said + (f"; {ignored} ignored in the files" if ignored else "")
    first, *others = [f"{app}: {r.reason}" for app, r in told if r.status is worst]
    return first + (f" (and {len(others)} more apps)" if others else "")


def _named(app: str, result: Result, worst: Status) -> str:
    messages = "; ".join(f.message for f in result.findings) if worst not in LOOKED else ""
    state = f"{result.status.value}: " if result.status is not worst else ""
    return f"{app}: {state}{result.reason}" + (f" ({messages})" if messages else "")
