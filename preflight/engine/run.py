"""Runs the chosen checks and says what came of each.  Prints nothing.

Free checks run at once, as early as their lookups allow.  Paid ones run after them, one by one, each only
when no free check has failed and its price fits in what is left of the limit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from preflight.engine.select import Selection, in_order
from preflight.events import Event, Priced, Started, Waiting
from preflight.lookups import Looked, Lookup, LookupFailed, Lookups, World
from preflight.model import (
    UNANSWERED,
    Check,
    NotApplicable,
    Report,
    Result,
    Severity,
    Stage,
    Status,
    Target,
)
from preflight.problems import Problem

T = TypeVar("T")
Observe = Callable[[Event], None]

AT_ONCE = 16
WAITS_S = (2.0, 4.0, 8.0, 15.0)  # between the rounds of --wait; the last one repeats


@dataclass(frozen=True, kw_only=True)
class Limits:
    """``run_s`` bounds everything; ``wait_s`` is how long to go on asking what may become true."""

    spend_max_usd: Decimal = Decimal("2.00")
    run_s: float | None = None
    wait_s: float = 0.0


@dataclass(frozen=True)
class _Told:
    result: Result
    may_change: bool  # asking again could give another answer without the user doing anything here


class _Run:
    def __init__(
        self,
        selection: Selection,
        world: World,
        given: Mapping[Lookup[Any], Any],
        limits: Limits,
        observe: Observe,
        fail_on: Status,
    ) -> None:
        self.selection = selection
        self.world = world
        self.given = given
        self.limits = limits
        self.observe = observe
        self.fail_on = fail_on
        self.clock = time.monotonic()
        self.told: dict[str, _Told] = {}
        self.at_stake: dict[str, Decimal] = {}  # of paid checks that have started: what counts if they never answer
        self.slots = asyncio.Semaphore(AT_ONCE)

    async def everything(self) -> None:
        free = [c for c in self.selection.chosen if c.stage is not Stage.PAID]
        paid = [c for c in self.selection.chosen if c.stage is Stage.PAID]
        for check, reason in self.selection.left_out:
            self._tell(_Told(_unasked(check, Status.SKIP, reason), False))
        await self._free(free)
        if paid:
            async with Lookups(self.world, self.given) as lookups:
                for check in paid:
                    self._tell(await self._paid(check, lookups))

    async def _free(self, checks: Sequence[Check]) -> None:
        """All at once; then, while --wait lasts, again those whose answer may change by itself."""
        waits = iter(WAITS_S)
        pause = 0.0
        while checks:
            last = self.limits.wait_s - (time.monotonic() - self.clock) <= 0
            async with Lookups(self.world, self.given) as lookups:
                await _all(self._one(check, lookups, is_last=last) for check in checks)
            checks = [c for c in checks if c.id not in self.told]
            if checks:
                pause = next(waits, pause)
                left_s = max(0.0, self.limits.wait_s - (time.monotonic() - self.clock))
                pause = min(pause, left_s)
                self.observe(Waiting(tuple(c.name for c in checks), pause, left_s))
                await asyncio.sleep(pause)

    async def _one(self, check: Check, lookups: Lookups, *, is_last: bool) -> None:
        async with self.slots:
            self.observe(Started(check))
            told = await _ask(check, lookups)
        if is_last or not told.may_change:
            self._tell(told)

    async def _paid(self, check: Check, lookups: Lookups) -> _Told:
        stopper = self._stopper()
        if stopper is not None and not self.selection.is_named:
            return _Told(_unasked(check, Status.SKIP, f"not started: {stopper}"), False)
        assert check.price is not None  # Check refuses a paid check without one
        price = await _put(check.price, check, lookups)
        if isinstance(price, _Told):
            return replace(price, result=replace(price.result, reason=f"no price: {price.result.reason}"))
        if isinstance(price, NotApplicable):
            return _Told(_unasked(check, Status.SKIP, price.reason), False)
        left = self.limits.spend_max_usd - sum((t.result.spent_usd for t in self.told.values()), Decimal(0))
        if price.usd > left:
            reason = f"needs up to ${price.usd:.2f} ({price.basis}); --spend-max leaves ${left:.2f}"
            return _Told(_unasked(check, Status.BLOCKED, reason), False)
        self.observe(Priced(check, price))
        self.at_stake[check.id] = price.usd
        self.observe(Started(check))
        told = await _ask(check, lookups)
        spent = told.result.answer.spent_usd if told.result.answer else None
        if told.result.status is not Status.SKIP:
            told = replace(told, result=replace(told.result, spent_usd=price.usd if spent is None else spent))
        return told

    def _stopper(self) -> str | None:
        """What a free check found that keeps money from being spent."""
        bad = {Status.FAIL, *UNANSWERED} | ({Status.WARN} if self.fail_on is Status.WARN else set())
        names = [t.result.check.name for t in self.told.values() if t.result.status in bad]
        if not names:
            return None
        return f"{names[0]} must be right first" + (f", and {len(names) - 1} more" if len(names) > 1 else "")

    def _tell(self, told: _Told) -> None:
        self.told[told.result.check.id] = told
        self.observe(told.result)

    def finish(self, why: str) -> None:
        """A result for every check that has none yet; a paid one that had started counts at its price."""
        for check in self.selection.chosen:
            if check.id not in self.told:
                result = replace(_unasked(check, Status.ERROR, why), spent_usd=self.at_stake.get(check.id, Decimal(0)))
                self._tell(_Told(result, False))


async def run(
    selection: Selection,
    world: World,
    *,
    target: Target,
    observe: Observe = lambda event: None,
    given: Mapping[Lookup[Any], Any] | None = None,
    limits: Limits | None = None,
    fail_on: Status = Status.FAIL,
) -> Report:
    """The report, always: a crash, a hang, the limit or Ctrl-C costs only the answers that were not yet there.

    Cancelling the task makes the report an interrupted one; results are in checklist order.
    """
    limits = limits or Limits()
    this = _Run(selection, world, given or {}, limits, observe, fail_on)
    started, is_interrupted = datetime.now(UTC), False
    limit = asyncio.timeout(limits.run_s)
    try:
        async with limit:
            await this.everything()
    except TimeoutError:
        if not limit.expired():
            raise
        this.finish(f"the run's limit of {limits.run_s:g} s ended first (--timeout)")
    except asyncio.CancelledError:
        is_interrupted = True
        this.finish("interrupted before it could answer")
    shown = (*selection.chosen, *(c for c, _ in selection.left_out))
    results = tuple(this.told[c.id].result for c in in_order(shown))
    return Report(
        target=target,
        started=started,
        seconds=time.monotonic() - this.clock,
        results=results,
        fail_on=fail_on,
        is_interrupted=is_interrupted,
    )


async def _all(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Awaits all; cancels and awaits the rest when this task is cancelled, so that none outlives the run."""
    async with asyncio.TaskGroup() as group:
        for coroutine in coroutines:
            group.create_task(coroutine)


async def _ask(check: Check, lookups: Lookups) -> _Told:
    began = time.monotonic()
    outcome = await _put(check.run, check, lookups)
    seconds = time.monotonic() - began
    if isinstance(outcome, _Told):
        return outcome
    if isinstance(outcome, NotApplicable):
        return _Told(Result(check=check, status=Status.SKIP, seconds=seconds, reason=outcome.reason), False)
    errors = [f for f in outcome.findings if f.severity is Severity.ERROR]
    result = Result(check=check, status=outcome.status, seconds=seconds, reason=outcome.said, answer=outcome)
    return _Told(result, bool(errors) and all(f.can_clear for f in errors))


async def _put(question: Callable[[Looked], Awaitable[T]], check: Check, lookups: Lookups) -> T | _Told:
    """The question's answer, or what became of a check that could not answer it."""
    began = time.monotonic()
    limit = asyncio.timeout(check.timeout_s)
    try:
        looked = await lookups.see(check.name, check.needs, check.tries)
        async with limit:
            return await question(looked)
    except LookupFailed as e:
        return _blocked(check, e, began)
    except (Exception, SystemExit) as e:  # noqa: BLE001 - a broken check must not hide the other answers
        if limit.expired():
            return _Told(_error(check, f"no answer after {check.timeout_s:g} s", began), True)
        may_change = isinstance(e, Problem) and e.can_pass
        return _Told(_error(check, _text(e), began), may_change)


def _blocked(check: Check, e: LookupFailed, began: float) -> _Told:
    cause = e.__cause__
    may_change = (isinstance(cause, Problem) and cause.can_pass) or isinstance(cause, TimeoutError)
    by = e.lookup.answered_by if e.lookup.answered_by != check.id else ""
    result = Result(check=check, status=Status.BLOCKED, seconds=time.monotonic() - began, reason=str(e), blocked_by=by)
    return _Told(result, may_change)


def _unasked(check: Check, status: Status, reason: str) -> Result:
    return Result(check=check, status=status, seconds=0.0, reason=reason)


def _error(check: Check, reason: str, began: float) -> Result:
    return Result(check=check, status=Status.ERROR, seconds=time.monotonic() - began, reason=reason)


def _text(e: BaseException) -> str:
    return str(e) if isinstance(e, Problem) else f"{type(e).__name__}: {e}"
