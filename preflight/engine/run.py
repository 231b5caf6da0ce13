"""Runs the chosen checks, for one app or several, and says what came of each.  Prints nothing.

Free checks run at once, as early as their lookups allow.  Paid ones run after them, one by one, each only
when no free check has failed, of whichever app, and its price fits in what is left of the limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from preflight.engine.select import Selection, in_order
from preflight.engine.several import looks_at_app, reads_app, together
from preflight.events import Event, Priced, Progress, Started, Waiting
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
Given = Mapping[Lookup[Any], Any]
Observe = Callable[[Event], None]
Judge = Callable[[str, Result], Result]

AT_ONCE = 16
WAITS_S = (2.0, 4.0, 8.0, 15.0)  # between the rounds of --wait; the last one repeats


@dataclass(frozen=True, kw_only=True)
class Limits:
    """``run_s`` bounds everything; ``wait_s`` is how long to go on asking what may become true."""

    spend_max_usd: Decimal = Decimal("2.00")
    run_s: float | None = None
    wait_s: float = 0.0


class _Asked(NamedTuple):
    """A check of one app; what looks at no app is asked once, as the first one's."""

    check: Check
    app: str


@dataclass(frozen=True)
class _Answered:
    result: Result
    may_change: bool = False  # asking again could give another answer without the user doing anything here
    question: str = ""  # that an unknown leaves open


@dataclass
class _Run:
    selection: Selection
    world: World
    given: Given
    apps: Mapping[str, tuple[World, Given]]
    limits: Limits
    observe: Observe
    judge: Judge
    fail_on: Status
    clock: float = field(default_factory=time.monotonic)
    lookups: dict[str, Lookups] = field(default_factory=dict)
    answered: dict[_Asked, _Answered] = field(default_factory=dict)
    at_stake: dict[_Asked, Decimal] = field(default_factory=dict)  # of paid checks that have started, if never answered
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def __post_init__(self) -> None:
        names = tuple(self.apps)
        chosen, left_out = self.selection.chosen, self.selection.left_out
        self.asked = {c.id: [_Asked(c, app) for app in (names if looks_at_app(c) else names[:1])] for c in chosen}
        self.left_out = {c.id: replace(_unanswered(c, Status.SKIP, why), is_left_out=True) for c, why in left_out}

    async def everything(self) -> None:
        for result in self.left_out.values():
            self.observe(result)
        every = [asked for each in self.asked.values() for asked in each]
        async with contextlib.AsyncExitStack() as stack:
            common = await stack.enter_async_context(Lookups(self.world, self.given))
            for app, (world, given) in self.apps.items():
                lookups = Lookups(world, {**self.given, **given}, lambda key: None if reads_app(key) else common)
                self.lookups[app] = await stack.enter_async_context(lookups)
            await self._free([a for a in every if a.check.stage is not Stage.PAID])
            for asked in every:
                if asked.check.stage is Stage.PAID:
                    self._tell(asked, await self._paid(asked))

    async def _free(self, left: Sequence[_Asked]) -> None:
        """All of an app at once; then, while --wait lasts, again those whose answer may change by itself."""
        waits = iter(WAITS_S)
        pause = 0.0
        while left:
            last = self.limits.wait_s - (time.monotonic() - self.clock) <= 0
            for app in self.apps:
                if len(self.apps) > 1:
                    self.observe(Progress(app, "looking at it"))
                async with asyncio.TaskGroup() as group:  # cancelled, it cancels and awaits what it started
                    for asked in left:
                        if asked.app == app:
                            group.create_task(self._one(asked, is_last=last))
            left = [a for a in left if a not in self.answered]
            if left:
                left_s = max(0.0, self.limits.wait_s - (time.monotonic() - self.clock))
                pause = min(next(waits, pause), left_s)
                self.observe(Waiting(tuple(dict.fromkeys(a.check.name for a in left)), pause, left_s))
                await asyncio.sleep(pause)
                for check, app in left:
                    self.lookups[app].forget((*check.needs, *check.tries))

    async def _one(self, asked: _Asked, *, is_last: bool) -> None:
        async with self.slots:
            self.observe(Started(asked.check))
            answered = await self._ask(asked)
        if is_last or not answered.may_change:
            self._tell(asked, answered)

    async def _paid(self, asked: _Asked) -> _Answered:
        check = asked.check
        stopper = self._stopper()
        if stopper is not None and not self.selection.is_named:
            return _Answered(_unanswered(check, Status.SKIP, f"not started: {stopper}"))
        assert check.price is not None  # Check refuses a paid check without one
        price = await self._put(check.price, asked)
        if isinstance(price, _Answered):
            if price.result.status is Status.BLOCKED:
                return price
            return replace(price, result=replace(price.result, reason=f"no price: {price.result.reason}"))
        if isinstance(price, NotApplicable):
            return _Answered(_unanswered(check, Status.SKIP, price.reason))
        left = self.limits.spend_max_usd - sum((t.result.spent_usd for t in self.answered.values()), Decimal(0))
        if price.usd > left:
            reason = f"needs up to ${price.usd:.2f} ({price.basis}); --spend-max leaves ${left:.2f}"
            enough = self.limits.spend_max_usd - left + price.usd
            blocked = _unanswered(check, Status.BLOCKED, reason)
            return _Answered(replace(blocked, retry_with=f"--spend-max {enough:.2f}"))
        self.observe(Priced(check, price, asked.app))
        self.at_stake[asked] = price.usd
        self.observe(Started(check))
        answered = await self._ask(asked)
        if answered.result.status is Status.SKIP:
            return answered
        spent = answered.result.answer.spent_usd if answered.result.answer else None
        usd = price.usd if spent is None else spent
        return replace(answered, result=replace(answered.result, spent_usd=usd))

    def _stopper(self) -> str | None:
        """What a free check found that keeps money from being spent."""
        results = [answered.result for answered in self.answered.values()]
        names = [r.check.name for r in results if r.status in UNANSWERED or r.status.fails(self.fail_on)]
        more = f", and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{names[0]} must be right first{more}" if names else None

    def _tell(self, asked: _Asked, answered: _Answered) -> None:
        """A check's result is told when every app has its own."""
        check = asked.check
        self.answered[asked] = replace(answered, result=self.judge(asked.app, answered.result))
        if all(each in self.answered for each in self.asked[check.id]):
            self.observe(self._result(check))

    def _result(self, check: Check) -> Result:
        """Of all apps; what a pass settles, and what the user accepts as unknown, says so."""
        return together(check, [(asked.app, self._settled(asked)) for asked in self.asked[check.id]])

    def _settled(self, asked: _Asked) -> Result:
        (check, app), answered = asked, self.answered[asked]
        if answered.result.status is not Status.UNKNOWN:
            return answered.result
        passed = [a.check for a, has in self.answered.items() if a.app == app and has.result.status is Status.PASS]
        by = next((c.name for c in passed if answered.question in c.settles), "")
        if not by and {check.name, check.id} & {*self.world.settings.accept_unknown}:
            by = "accept-unknown"
        return replace(answered.result, settled_by=by)

    async def _ask(self, asked: _Asked) -> _Answered:
        check = asked.check
        began = time.monotonic()
        outcome = await self._put(check.run, asked)
        if isinstance(outcome, _Answered):
            return outcome
        try:
            result = result_of(check, _in_form(outcome), began)
        except (TypeError, ValueError) as e:
            return _Answered(_unanswered(check, Status.ERROR, f"its answer is not one: {e}", began))
        errors = [f for f in result.findings if f.severity is Severity.ERROR]
        question = outcome.question if isinstance(outcome, Unknown) else ""
        return _Answered(result, bool(errors) and all(f.can_clear for f in errors), question)

    async def _put(self, question: Callable[[Looked], Awaitable[T]], asked: _Asked) -> T | _Answered:
        """The question's answer, or what became of a check that could not answer it.

        A plugin answers on a thread of its own: one that blocks, or swallows its end, costs its own answer only.
        """
        began, check = time.monotonic(), asked.check
        limit = asyncio.timeout(check.timeout_s)
        try:
            looked = await self.lookups[asked.app].see(check.name, check.needs, check.tries)
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
        """In checklist order."""
        return tuple(self.left_out.get(c.id) or self._result(c) for c in in_order(self.selection.everything))

    def finish(self, why: str) -> None:
        """A result for whatever has none yet; a paid check that had started counts at its price."""
        for asked in [a for each in self.asked.values() for a in each if a not in self.answered]:
            spent = self.at_stake.get(asked, Decimal(0))
            self._tell(asked, _Answered(replace(_unanswered(asked.check, Status.ERROR, why), spent_usd=spent)))


async def run(
    selection: Selection,
    world: World,
    *,
    target: Target,
    observe: Observe = lambda event: None,
    judge: Judge = lambda app, result: result,
    given: Given | None = None,
    apps: Mapping[str, tuple[World, Given]] | None = None,
    limits: Limits | None = None,
    fail_on: Status = Status.FAIL,
    scope: Scope = Scope.PART,
) -> Report:
    """The report, always: a crash, a hang, the limit or Ctrl-C costs only the answers that were not yet there.

    Cancelling the task makes the report an interrupted one; results are in checklist order.  ``apps`` are those of a
    run over several, each with its world and what is ``given`` in it; what looks at no app is asked once, in ``world``.
    ``judge`` makes of an app's own answer what counts.
    """
    limits = limits or Limits()
    this = _Run(selection, world, given or {}, apps or {"": (world, {})}, limits, observe, judge, fail_on)
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
    """An unknown whose findings are certain failures is a failure."""
    seconds = time.monotonic() - began
    if isinstance(outcome, NotApplicable):
        return Result(check=check, status=Status.SKIP, seconds=seconds, reason=outcome.reason)
    if isinstance(outcome, Answer):
        answer, status = outcome, outcome.status
    else:
        answer = Answer(summary=outcome.reason, seen=outcome.seen, findings=outcome.findings)
        status = Status.FAIL if answer.status is Status.FAIL else Status.UNKNOWN
    return Result(check=check, status=status, seconds=seconds, reason=answer.summary, answer=answer)


def _in_form(outcome: Outcome) -> Outcome:
    """Raises TypeError and ValueError for what a check of another make may have returned in its place."""
    if isinstance(outcome, NotApplicable):
        return outcome
    if not isinstance(outcome, Answer | Unknown):
        raise TypeError(f"a {type(outcome).__name__}, wanted an Answer, an Unknown or a NotApplicable")
    if not all(isinstance(f, Finding) for f in outcome.findings):
        raise TypeError("it holds what is not a Finding")
    if not isinstance(outcome.reason if isinstance(outcome, Unknown) else outcome.summary, str):
        raise TypeError("it says no text")
    json.dumps(dict(outcome.seen), allow_nan=False)
    return outcome


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
