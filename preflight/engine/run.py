"""Runs the chosen checks and says what came of each.  Prints nothing.

Free checks run at once, as early as their lookups allow.  Paid ones run after them, one by one, each only
when no free check has failed and its price fits in what is left of the limit.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from preflight.engine.select import Selection, in_order
from preflight.events import Event, Priced, Started, Waiting
from preflight.lookups import Looked, Lookup, LookupFailed, Lookups, World
from preflight.model import (
    UNANSWERED,
    Answer,
    Check,
    Finding,
    NotApplicable,
    Outcome,
    Report,
    Result,
    Scope,
    Severity,
    Stage,
    Status,
    Target,
    Unknown,
)
from preflight.problems import Problem
from preflight.threads import in_thread

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
class _Answered:
    result: Result
    may_change: bool = False  # asking again could give another answer without the user doing anything here
    question: str = ""  # that an unknown leaves open


@dataclass
class _Run:
    selection: Selection
    world: World
    given: Mapping[Lookup[Any], Any]
    limits: Limits
    observe: Observe
    fail_on: Status
    assumed: str
    clock: float = field(default_factory=time.monotonic)
    answered: dict[str, _Answered] = field(default_factory=dict)
    at_stake: dict[str, Decimal] = field(default_factory=dict)  # of paid checks that have started, if they never answer
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def everything(self) -> None:
        free = [c for c in self.selection.chosen if c.stage is not Stage.PAID]
        paid = [c for c in self.selection.chosen if c.stage is Stage.PAID]
        for check, reason in self.selection.left_out:
            self._tell(_Answered(replace(_unanswered(check, Status.SKIP, reason), is_left_out=True)))
        async with Lookups(self.world, self.given) as lookups:
            await self._free(free, lookups)
            for check in paid:
                self._tell(await self._paid(check, lookups))

    async def _free(self, checks: Sequence[Check], lookups: Lookups) -> None:
        """All at once; then, while --wait lasts, again those whose answer may change by itself."""
        waits = iter(WAITS_S)
        pause = 0.0
        while checks:
            last = self.limits.wait_s - (time.monotonic() - self.clock) <= 0
            async with asyncio.TaskGroup() as group:  # none of them outlives the run
                for check in checks:
                    group.create_task(self._one(check, lookups, is_last=last))
            checks = [c for c in checks if c.id not in self.answered]
            if checks:
                left_s = max(0.0, self.limits.wait_s - (time.monotonic() - self.clock))
                pause = min(next(waits, pause), left_s)
                self.observe(Waiting(tuple(c.name for c in checks), pause, left_s))
                await asyncio.sleep(pause)
                lookups.forget(key for check in checks for key in (*check.needs, *check.tries))

    async def _one(self, check: Check, lookups: Lookups, *, is_last: bool) -> None:
        async with self.slots:
            self.observe(Started(check))
            answered = await self._ask(check, lookups)
        if is_last or not answered.may_change:
            self._tell(answered)

    async def _paid(self, check: Check, lookups: Lookups) -> _Answered:
        stopper = self._stopper()
        if stopper is not None and not self.selection.is_named:
            return _Answered(_unanswered(check, Status.SKIP, f"not started: {stopper}"))
        assert check.price is not None  # Check refuses a paid check without one
        price = await self._put(check.price, check, lookups)
        if isinstance(price, _Answered):
            is_blocked = price.result.status is Status.BLOCKED
            reason = price.result.reason if is_blocked else f"no price: {price.result.reason}"
            return replace(price, result=replace(price.result, reason=reason))
        if isinstance(price, NotApplicable):
            return _Answered(_unanswered(check, Status.SKIP, price.reason))
        left = self.limits.spend_max_usd - sum((t.result.spent_usd for t in self.answered.values()), Decimal(0))
        if price.usd > left:
            reason = f"needs up to ${price.usd:.2f} ({price.basis}); --spend-max leaves ${left:.2f}"
            enough = self.limits.spend_max_usd - left + price.usd
            blocked = _unanswered(check, Status.BLOCKED, reason)
            return _Answered(replace(blocked, retry_with=f"--spend-max {enough:.2f}"))
        self.observe(Priced(check, price))
        self.at_stake[check.id] = price.usd
        self.observe(Started(check))
        answered = await self._ask(check, lookups)
        if answered.result.status is Status.SKIP:
            return answered
        spent = answered.result.answer.spent_usd if answered.result.answer else None
        usd = price.usd if spent is None else spent
        return replace(answered, result=replace(answered.result, spent_usd=usd))

    def _stopper(self) -> str | None:
        """What a free check found that keeps money from being spent."""
        bad = {Status.FAIL, *UNANSWERED} | ({Status.WARN} if self.fail_on is Status.WARN else set())
        names = [t.result.check.name for t in self.answered.values() if t.result.status in bad]
        if not names:
            return None
        return f"{names[0]} must be right first" + (f", and {len(names) - 1} more" if len(names) > 1 else "")

    def _tell(self, answered: _Answered) -> None:
        self.answered[answered.result.check.id] = answered
        self.observe(answered.result)

    async def _ask(self, check: Check, lookups: Lookups) -> _Answered:
        began = time.monotonic()
        outcome = await self._put(check.run, check, lookups)
        if isinstance(outcome, _Answered):
            return outcome
        try:
            result = result_of(check, outcome, began)
        except (TypeError, ValueError) as e:
            return _Answered(_unanswered(check, Status.ERROR, f"its answer is not one: {e}", began))
        if self.assumed and result.status is Status.PASS and check.stage is not Stage.STATIC:
            result = replace(result, status=Status.SKIP, assumed=self.assumed)
        errors = [f for f in result.findings if f.severity is Severity.ERROR]
        question = outcome.question if isinstance(outcome, Unknown) else ""
        return _Answered(result, bool(errors) and all(f.can_clear for f in errors), question)

    async def _put(self, question: Callable[[Looked], Awaitable[T]], check: Check, lookups: Lookups) -> T | _Answered:
        """The question's answer, or what became of a check that could not answer it.

        A plugin answers on a thread of its own: one that blocks, or swallows its end, costs its own answer only.
        """
        began = time.monotonic()
        limit = asyncio.timeout(check.timeout_s)
        try:
            looked = await lookups.see(check.name, check.needs, check.tries)
            async with limit:
                return await (in_thread(_run_whole, question, looked) if check.origin else question(looked))
        except LookupFailed as e:
            cause = e.__cause__
            may_change = isinstance(cause, TimeoutError) or (isinstance(cause, Problem) and cause.can_pass)
            by = next((c.id for c in self.selection.everything if e.lookup in c.explains and c.id != check.id), "")
            return _Answered(replace(_unanswered(check, Status.BLOCKED, str(e), began), blocked_by=by), may_change)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return _Answered(_unanswered(check, Status.ERROR, "CancelledError: it cancelled itself", began))
        except KeyboardInterrupt:
            raise
        except BaseException as e:  # noqa: BLE001 - a broken check must not hide the other answers
            if limit.expired():
                reason = f"no answer after {check.timeout_s:g} s"
                return _Answered(_unanswered(check, Status.ERROR, reason, began), may_change=True)
            reason = str(e) if isinstance(e, Problem) else f"{type(e).__name__}: {e}"
            may_change = isinstance(e, Problem) and e.can_pass
            return _Answered(_unanswered(check, Status.ERROR, reason, began), may_change)

    def results(self) -> tuple[Result, ...]:
        """In checklist order; what a pass settles, and what the user accepts as unknown, says so."""
        passed = [a.result.check for a in self.answered.values() if a.result.status is Status.PASS]
        by_question = {question: check.name for check in passed for question in check.settles}
        accepted = self.world.settings.accept_unknown
        shown = []
        for check in in_order(self.selection.everything):
            answered = self.answered[check.id]
            result = answered.result
            if result.status is Status.UNKNOWN:
                by = by_question.get(answered.question, "")
                if not by and (check.name in accepted or check.id in accepted):
                    by = "accept-unknown"
                result = replace(result, settled_by=by)
            shown.append(result)
        return tuple(shown)

    def finish(self, why: str) -> None:
        """A result for every check that has none yet; a paid one that had started counts at its price."""
        for check in self.selection.chosen:
            if check.id not in self.answered:
                spent = self.at_stake.get(check.id, Decimal(0))
                self._tell(_Answered(replace(_unanswered(check, Status.ERROR, why), spent_usd=spent)))


async def run(
    selection: Selection,
    world: World,
    *,
    target: Target,
    observe: Observe = lambda event: None,
    given: Mapping[Lookup[Any], Any] | None = None,
    limits: Limits | None = None,
    fail_on: Status = Status.FAIL,
    scope: Scope = Scope.PART,
    assumed: str = "",
) -> Report:
    """The report, always: a crash, a hang, the limit or Ctrl-C costs only the answers that were not yet there.

    Cancelling the task makes the report an interrupted one; results are in checklist order.  ``assumed`` says what a
    rehearsal invented: no answer about it is a pass.
    """
    limits = limits or Limits()
    this = _Run(selection, world, given or {}, limits, observe, fail_on, assumed)
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
    return Report(
        target=target,
        started=started,
        seconds=time.monotonic() - this.clock,
        results=this.results(),
        fail_on=fail_on,
        scope=scope,
        is_interrupted=is_interrupted,
    )


def result_of(check: Check, outcome: Outcome, began: float) -> Result:
    """Raises TypeError and ValueError for what is no outcome."""
    seconds = time.monotonic() - began
    if isinstance(outcome, NotApplicable):
        return Result(check=check, status=Status.SKIP, seconds=seconds, reason=outcome.reason)
    status, answer = judged(outcome)
    return Result(check=check, status=status, seconds=seconds, reason=answer.summary, answer=answer)


def judged(outcome: Answer | Unknown) -> tuple[Status, Answer]:
    """Raises TypeError and ValueError for what a check of another make may have returned in their place."""
    if isinstance(outcome, Answer | Unknown) and not all(isinstance(f, Finding) for f in outcome.findings):
        raise TypeError("it holds what is not a Finding")
    if isinstance(outcome, Unknown):
        answer = Answer(summary=outcome.reason, seen=outcome.seen, findings=outcome.findings)
        status = Status.FAIL if answer.status is Status.FAIL else Status.UNKNOWN
    elif isinstance(outcome, Answer):
        answer, status = outcome, outcome.status
    else:
        raise TypeError(f"a {type(outcome).__name__}, wanted an Answer, an Unknown or a NotApplicable")
    if not isinstance(answer.summary, str):
        raise TypeError("it says no text")
    json.dumps(dict(answer.seen), allow_nan=False)
    return status, answer


def _run_whole(question: Callable[[Looked], Awaitable[T]], looked: Looked) -> T:
    async def ask() -> T:
        return await question(looked)

    try:
        return asyncio.run(ask())
    except (KeyboardInterrupt, GeneratorExit) as e:  # no signal comes to a thread: it is the plugin's own
        raise RuntimeError(f"{type(e).__name__}, which nobody sent") from e


def _unanswered(check: Check, status: Status, reason: str, began: float | None = None) -> Result:
    """``began`` is None where it was not asked."""
    seconds = 0.0 if began is None else time.monotonic() - began
    return Result(check=check, status=status, seconds=seconds, reason=reason)
