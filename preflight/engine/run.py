"""Runs the chosen checks and says what came of each.  Prints nothing.

Free checks run at once, as early as their lookups allow.  Paid ones run after them, one by one, each only
when no free check has failed and its price fits in what is left of the limit.
"""

from __future__ import annotations

import asyncio
import json
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
    Answer,
    Check,
    Finding,
    NotApplicable,
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
    may_change: bool  # asking again could give another answer without the user doing anything here
    question: str = ""  # that an unknown leaves open


class _Run:
    def __init__(
        self,
        selection: Selection,
        world: World,
        given: Mapping[Lookup[Any], Any],
        limits: Limits,
        observe: Observe,
        fail_on: Status,
        assumed: str,
    ) -> None:
        self.selection = selection
        self.world = world
        self.given = given
        self.limits = limits
        self.observe = observe
        self.fail_on = fail_on
        self.assumed = assumed
        self.clock = time.monotonic()
        self.answered: dict[str, _Answered] = {}
        self.at_stake: dict[str, Decimal] = {}  # of paid checks that have started: what counts if they never answer
        self.slots = asyncio.Semaphore(AT_ONCE)

    async def everything(self) -> None:
        free = [c for c in self.selection.chosen if c.stage is not Stage.PAID]
        paid = [c for c in self.selection.chosen if c.stage is Stage.PAID]
        for check, reason in self.selection.left_out:
            self._tell(_Answered(replace(_unasked(check, Status.SKIP, reason), is_left_out=True), False))
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
            await _all(self._one(check, lookups, is_last=last) for check in checks)
            checks = [c for c in checks if c.id not in self.answered]
            if checks:
                pause = next(waits, pause)
                left_s = max(0.0, self.limits.wait_s - (time.monotonic() - self.clock))
                pause = min(pause, left_s)
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
            return _Answered(_unasked(check, Status.SKIP, f"not started: {stopper}"), False)
        assert check.price is not None  # Check refuses a paid check without one
        price = await self._put(check.price, check, lookups)
        if isinstance(price, _Answered):
            if price.result.status is Status.BLOCKED:
                return price
            return replace(price, result=replace(price.result, reason=f"no price: {price.result.reason}"))
        if isinstance(price, NotApplicable):
            return _Answered(_unasked(check, Status.SKIP, price.reason), False)
        left = self.limits.spend_max_usd - sum((t.result.spent_usd for t in self.answered.values()), Decimal(0))
        if price.usd > left:
            reason = f"needs up to ${price.usd:.2f} ({price.basis}); --spend-max leaves ${left:.2f}"
            enough = self.limits.spend_max_usd - left + price.usd
            blocked = replace(_unasked(check, Status.BLOCKED, reason), retry_with=f"--spend-max {enough:.2f}")
            return _Answered(blocked, False)
        self.observe(Priced(check, price))
        self.at_stake[check.id] = price.usd
        self.observe(Started(check))
        answered = await self._ask(check, lookups)
        spent = answered.result.answer.spent_usd if answered.result.answer else None
        if answered.result.status is not Status.SKIP:
            usd = price.usd if spent is None else spent
            answered = replace(answered, result=replace(answered.result, spent_usd=usd))
        return answered

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
        seconds = time.monotonic() - began
        if isinstance(outcome, _Answered):
            return outcome
        if isinstance(outcome, NotApplicable):
            return _Answered(Result(check=check, status=Status.SKIP, seconds=seconds, reason=outcome.reason), False)
        try:
            status, answer = judged(_in_form(outcome))
        except (TypeError, ValueError) as e:
            return _Answered(_error(check, f"its answer is not one: {e}", began), False)
        errors = [f for f in answer.findings if f.severity is Severity.ERROR]
        assumed = self.assumed if status is Status.PASS and check.stage is not Stage.STATIC else ""
        status = Status.SKIP if assumed else status
        result = Result(
            check=check, status=status, seconds=seconds, reason=answer.summary, answer=answer, assumed=assumed
        )
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
            return self._blocked(check, e, began)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return _Answered(_error(check, "CancelledError: it cancelled itself", began), False)
        except KeyboardInterrupt:
            raise
        except BaseException as e:  # noqa: BLE001 - a broken check must not hide the other answers
            if limit.expired():
                return _Answered(_error(check, f"no answer after {check.timeout_s:g} s", began), True)
            may_change = isinstance(e, Problem) and e.can_pass
            return _Answered(_error(check, _text(e), began), may_change)

    def _blocked(self, check: Check, e: LookupFailed, began: float) -> _Answered:
        cause = e.__cause__
        may_change = (isinstance(cause, Problem) and cause.can_pass) or isinstance(cause, TimeoutError)
        by = next((c.id for c in self.selection.everything if e.lookup in c.explains and c.id != check.id), "")
        seconds = time.monotonic() - began
        return _Answered(
            Result(check=check, status=Status.BLOCKED, seconds=seconds, reason=str(e), blocked_by=by), may_change
        )

    def results(self) -> tuple[Result, ...]:
        """In checklist order; what a pass settles, and what the user accepts as unknown, says so."""
        by_question = {
            question: answered.result.check.name
            for answered in self.answered.values()
            if answered.result.status is Status.PASS
            for question in answered.result.check.settles
        }
        accepted = self.world.settings.accept_unknown
        shown = []
        for check in in_order(self.selection.everything):
            result = self.answered[check.id].result
            if result.status is Status.UNKNOWN:
                by = by_question.get(self.answered[check.id].question, "")
                if not by and {check.name, check.id} & {*accepted}:
                    by = "accept-unknown"
                result = replace(result, settled_by=by)
            shown.append(result)
        return tuple(shown)

    def finish(self, why: str) -> None:
        """A result for every check that has none yet; a paid one that had started counts at its price."""
        for check in self.selection.chosen:
            if check.id not in self.answered:
                result = replace(_unasked(check, Status.ERROR, why), spent_usd=self.at_stake.get(check.id, Decimal(0)))
                self._tell(_Answered(result, False))


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


async def _all(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Awaits all; cancels and awaits the rest when this task is cancelled, so that none outlives the run."""
    async with asyncio.TaskGroup() as group:
        for coroutine in coroutines:
            group.create_task(coroutine)


def _in_form(outcome: Answer | Unknown) -> Answer | Unknown:
    """Raises TypeError and ValueError for what a check of another make may have returned in their place."""
    if not isinstance(outcome, Answer | Unknown):
        raise TypeError(f"a {type(outcome).__name__}, wanted an Answer, an Unknown or a NotApplicable")
    if not all(isinstance(f, Finding) for f in outcome.findings):
        raise TypeError("it holds what is not a Finding")
    if not isinstance(outcome.reason if isinstance(outcome, Unknown) else outcome.summary, str):
        raise TypeError("it says no text")
    json.dumps(dict(outcome.seen), allow_nan=False)
    return outcome


def judged(outcome: Answer | Unknown) -> tuple[Status, Answer]:
    """An unknown whose findings are certain failures is a failure."""
    if isinstance(outcome, Answer):
        return outcome.status, outcome
    answer = Answer(summary=outcome.reason, seen=outcome.seen, findings=outcome.findings)
    return Status.FAIL if answer.status is Status.FAIL else Status.UNKNOWN, answer


def _run_whole(question: Callable[[Looked], Awaitable[T]], looked: Looked) -> T:
    async def ask() -> T:
        return await question(looked)

    try:
        return asyncio.run(ask())
    except (KeyboardInterrupt, GeneratorExit) as e:  # no signal comes to a thread: it is the plugin's own
        raise RuntimeError(f"{type(e).__name__}, which nobody sent") from e


def _unasked(check: Check, status: Status, reason: str) -> Result:
    return Result(check=check, status=status, seconds=0.0, reason=reason)


def _error(check: Check, reason: str, began: float) -> Result:
    return Result(check=check, status=Status.ERROR, seconds=time.monotonic() - began, reason=reason)


def _text(e: BaseException) -> str:
    return str(e) if isinstance(e, Problem) else f"{type(e).__name__}: {e}"
