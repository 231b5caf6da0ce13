"""What the engine decides of each check: told whole, event by event and result by result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from preflight.api import failed, passed, warned
from preflight.engine import run as engine
from preflight.engine.run import Limits, result_of, run
from preflight.engine.select import Selection
from preflight.events import Event, Priced, Started, Waiting
from preflight.lookups import Looked, Lookup, LookupFailed, World
from preflight.model import (
    Answer,
    Check,
    Exit,
    Finding,
    NotApplicable,
    Outcome,
    Price,
    Report,
    Result,
    Scope,
    Severity,
    Stage,
    Status,
    Target,
    Unknown,
)
from preflight.problems import Kind, Problem
from preflight.settings import Settings
from preflight.testing import NOON

Body = Callable[[Looked], Awaitable[Outcome]]
WORLD = World(now=NOON, settings=Settings())
REFUSED = Problem(Kind.REFUSED, service="Modal", operation="hello", message="token expired")
UNREACHABLE = Problem(Kind.UNREACHABLE, service="Modal", operation="hello", message="connection refused")
TARGET = Target(app="app.py", environment="main")


async def fine(looked: Looked) -> Answer:
    return passed("looked")


def says(answer: Outcome | BaseException) -> Body:
    async def body(looked: Looked) -> Outcome:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return body


def free(id: str, answer: Outcome | BaseException | None = None, **more: object) -> Check:
    body = fine if answer is None else says(answer)
    about: dict[str, object] = {"stage": Stage.STATIC, "run": body, **more}
    return Check(id=id, name=id.lower(), title=id, **about)  # type: ignore[arg-type]


def paid(
    id: str, usd: str = "0.50", answer: Outcome | BaseException | None = None, price: object = None, **more: object
) -> Check:
    async def asked(looked: Looked) -> object:
        if isinstance(price, BaseException):
            raise price
        return Price(Decimal(usd), "a test") if price is None else price

    return free(id, answer, stage=Stage.PAID, price=asked, **more)


def asked(
    *checks: Check, is_named: bool = False, left_out: tuple[tuple[Check, str], ...] = (), **more: object
) -> tuple[Report, list[Event]]:
    events: list[Event] = []
    work = run(Selection(checks, left_out, is_named=is_named), WORLD, target=TARGET, observe=events.append, **more)  # type: ignore[arg-type]
    return asyncio.run(work), events


def rows(report: Report) -> list[tuple[str, str, str]]:
    return [(r.check.id, r.status.value, r.reason) for r in report.results]


def kinds(events: list[Event]) -> list[str]:
    return [
        f"{type(e).__name__} {'' if isinstance(e, Waiting) else e.check.id}".strip()
        for e in events
        if isinstance(e, Started | Priced | Waiting | Result)
    ]


def test_the_report_holds_what_the_run_was_given() -> None:
    report, _ = asked(free("AA001"), fail_on=Status.WARN, scope=Scope.WHOLE)
    assert (report.target, report.fail_on, report.scope) == (TARGET, Status.WARN, Scope.WHOLE)
    assert (report.is_interrupted, report.started.tzinfo is not None) == (False, True)
    assert 0 <= report.seconds < 5 and 0 <= report.results[0].seconds < 5
    plain, _ = asked(free("AA001"))
    assert (plain.fail_on, plain.scope, plain.results[0].assumed) == (Status.FAIL, Scope.PART, "")


def test_free_checks_come_first_and_each_paid_one_is_priced_before_it_starts() -> None:
    report, events = asked(
        paid("PA001"), free("AA001"), paid("PA002"), left_out=((free("AA000"), "left out by --skip"),)
    )
    assert kinds(events) == [
        "Result AA000", "Started AA001", "Result AA001",
        "Priced PA001", "Started PA001", "Result PA001", "Priced PA002", "Started PA002", "Result PA002",
    ]  # fmt: skip
    assert rows(report)[0] == ("AA000", "skip", "left out by --skip")
    assert [r.is_left_out for r in report.results] == [True, False, False, False]
    assert [e.price for e in events if isinstance(e, Priced)] == [Price(Decimal("0.50"), "a test")] * 2


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((failed("x", remedy="y"),), "not started: aa000 must be right first"),
        ((None, ValueError("bug"), failed("x", remedy="y")), "not started: aa001 must be right first, and 1 more"),
        ((REFUSED, REFUSED, REFUSED), "not started: aa000 must be right first, and 2 more"),
    ],
)
def test_what_keeps_money_from_being_spent_is_named(
    answers: tuple[Outcome | BaseException | None, ...], reason: str
) -> None:
    report, events = asked(*(free(f"AA00{n}", a) for n, a in enumerate(answers)), paid("PA001"))
    assert rows(report)[-1] == ("PA001", "skip", reason)
    assert report.spent_usd == 0 and not any(isinstance(e, Priced) for e in events)


@pytest.mark.parametrize("fail_on", [Status.FAIL, Status.WARN])
def test_a_warning_keeps_money_from_being_spent_only_where_it_fails_the_run(fail_on: Status) -> None:
    report, _ = asked(free("AA001", warned("old", remedy="y")), paid("PA001"), fail_on=fail_on)
    assert report.results[1].status is (Status.PASS if fail_on is Status.FAIL else Status.SKIP)


def test_a_failed_paid_check_keeps_the_next_one_from_starting() -> None:
    report, _ = asked(paid("PA001", answer=failed("x", remedy="y")), paid("PA002"))
    assert rows(report)[1] == ("PA002", "skip", "not started: pa001 must be right first")
    assert report.spent_usd == Decimal("0.50")


def test_a_price_equal_to_what_is_left_is_spent_and_a_cent_more_is_not() -> None:
    limits = Limits(spend_max_usd=Decimal("1.00"))
    report, _ = asked(paid("PA001", "0.40"), paid("PA002", "0.60"), limits=limits)
    assert [r.status for r in report.results] == [Status.PASS, Status.PASS] and report.spent_usd == 1
    report, events = asked(paid("PA001", "0.40"), paid("PA002", "0.61"), limits=limits)
    blocked = report.results[1]
    assert blocked.reason == "needs up to $0.61 (a test); --spend-max leaves $0.60"
    assert (blocked.status, blocked.retry_with, blocked.spent_usd) == (Status.BLOCKED, "--spend-max 1.01", 0)
    assert kinds(events)[-1] == "Result PA002" and "Priced PA002" not in kinds(events)


def test_two_dollars_are_the_limit_where_none_is_given() -> None:
    assert asked(paid("PA001", "2.00"))[0].exit is Exit.READY
    assert asked(paid("PA001", "2.01"))[0].results[0].retry_with == "--spend-max 2.01"
    assert Limits().wait_s == 0 and Limits().run_s is None


@pytest.mark.parametrize(
    ("answer", "status", "usd"),
    [
        (Answer(summary="ran", spent_usd=Decimal("0.10")), Status.PASS, "0.10"),
        (Answer(summary="ran", spent_usd=Decimal(0)), Status.PASS, "0"),
        (Answer(summary="ran"), Status.PASS, "0.50"),
        (Unknown(reason="open"), Status.UNKNOWN, "0.50"),
        (ValueError("bug"), Status.ERROR, "0.50"),
        (NotApplicable("no command"), Status.SKIP, "0"),
    ],
)
def test_what_a_paid_check_spent_is_what_it_knows_or_its_price(
    answer: Outcome | BaseException, status: Status, usd: str
) -> None:
    result = asked(paid("PA001", answer=answer))[0].results[0]
    assert (result.status, result.spent_usd) == (status, Decimal(usd))


def test_a_paid_check_without_a_price_does_not_start() -> None:
    report, events = asked(paid("PA001", price=ValueError("no rate")), is_named=True)
    assert rows(report) == [("PA001", "error", "no price: ValueError: no rate")]
    assert kinds(events) == ["Result PA001"]
    report, events = asked(paid("PA001", price=NotApplicable("no command is set")))
    assert rows(report) == [("PA001", "skip", "no command is set")]
    assert kinds(events) == ["Result PA001"] and report.spent_usd == 0


# --- lookups, and what may clear --------------------------------------------------------------------------------------


def broken(error: BaseException, name: str = "client") -> Lookup[str]:
    @asynccontextmanager
    async def make(looked: Looked) -> AsyncIterator[str]:
        raise error
        yield ""

    return Lookup(name, make)


def test_a_price_that_lacks_its_lookup_is_blocked_in_its_own_words() -> None:
    key = broken(PermissionError("expired"), "rates")
    report, _ = asked(paid("PA001", needs=(key,)), is_named=True)
    assert rows(report) == [("PA001", "blocked", "rates: expired")]


def test_a_blocked_check_names_what_explains_it_also_among_the_left_out_and_never_itself() -> None:
    key = broken(PermissionError("expired"))
    one = free("AA001", needs=(key,), explains=(key,))
    assert asked(one)[0].results[0].blocked_by == ""
    report, _ = asked(free("AA002", needs=(key,)), left_out=((one, "left out by --skip"),))
    assert [r.blocked_by for r in report.results] == ["", "AA001"]
    other = free("AA003", explains=(broken(ValueError("x")),))
    assert asked(free("AA002", needs=(key,)), other)[0].results[0].blocked_by == ""


def rounds(check: Check, monkeypatch: pytest.MonkeyPatch, wait_s: float = 0.1) -> list[Event]:
    monkeypatch.setattr(engine, "WAITS_S", (0.02,))
    return [e for e in asked(check, limits=Limits(wait_s=wait_s))[1] if isinstance(e, Started | Result)]


@pytest.mark.parametrize(
    ("error", "asks_again"),
    [(UNREACHABLE, True), (REFUSED, False), (ValueError("bug"), False), (TimeoutError("own"), False)],
)
def test_wait_asks_again_after_what_may_pass_in_the_check_or_its_lookup(
    error: BaseException, asks_again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = rounds(free("AA001", error), monkeypatch)
    assert (sum(isinstance(e, Started) for e in events) > 1) is asks_again
    assert sum(isinstance(e, Result) for e in events) == 1
    again = asks_again or isinstance(error, TimeoutError)
    events = rounds(free("AA001", needs=(broken(error),)), monkeypatch)
    assert (sum(isinstance(e, Started) for e in events) > 1) is again


def test_wait_asks_again_after_no_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(looked: Looked) -> Answer:
        await asyncio.sleep(5)
        return passed("late")

    events = rounds(replace(free("AA001", timeout_s=0.01), run=slow), monkeypatch)
    assert sum(isinstance(e, Started) for e in events) > 1
    assert isinstance(events[-1], Result) and events[-1].reason == "no answer after 0.01 s"


def test_the_pauses_of_wait_grow_and_the_last_is_cut_to_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WAITS_S", (0.02, 0.05))
    made: list[int] = []

    @asynccontextmanager
    async def make(looked: Looked) -> AsyncIterator[str]:
        made.append(1)
        raise UNREACHABLE
        yield ""

    key: Lookup[str] = Lookup("client", make)
    checks = (free("AA001", needs=(key,)), free("AA002", UNREACHABLE), free("AA003"), free("AA004", tries=(key,)))
    report, events = asked(*checks, limits=Limits(wait_s=0.4))
    waits = [e for e in events if isinstance(e, Waiting)]
    assert {w.names for w in waits} == {("aa001", "aa002")}
    assert [w.seconds for w in waits[:3]] == [0.02, 0.05, 0.05]
    left = [w.left_s for w in waits]
    assert 0.2 < left[0] <= 0.4 and left == sorted(left, reverse=True)
    assert all(w.seconds == min(w.left_s, 0.05) for w in waits[1:])
    assert len(made) == len(waits) + 1  # forgotten after each round
    assert [r.status for r in report.results] == [Status.BLOCKED, Status.ERROR, Status.PASS, Status.PASS]
    assert 0.4 <= report.seconds < 5


def test_no_wait_tells_no_round() -> None:
    assert kinds(asked(free("AA001", UNREACHABLE))[1]) == ["Started AA001", "Result AA001"]


# --- answers ----------------------------------------------------------------------------------------------------------


def finding(severity: Severity) -> Finding:
    return Finding(severity=severity, message="m", remedy="r")


def test_an_unknown_becomes_an_answer_with_all_that_it_saw() -> None:
    warning, error = (finding(s) for s in (Severity.WARNING, Severity.ERROR))
    check, began = free("PRJ001"), time.monotonic()
    unknown = result_of(check, Unknown(reason="open", seen={"a": 1}, findings=(warning,)), began)
    assert unknown.status is Status.UNKNOWN
    assert unknown.answer == Answer(summary="open", seen={"a": 1}, findings=(warning,))
    assert result_of(check, Unknown(reason="open", findings=(warning, error)), began).status is Status.FAIL
    answer = Answer(summary="x", findings=(warning,))
    warned = result_of(check, answer, began)
    assert (warned.status, warned.answer) == (Status.WARN, answer)
    skipped = result_of(check, NotApplicable("no bucket"), began)
    assert (skipped.check, skipped.status, skipped.reason) == (check, Status.SKIP, "no bucket")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (None, "a NoneType, wanted an Answer, an Unknown or a NotApplicable"),
        (Answer(summary="x", findings=("no finding",)), "it holds what is not a Finding"),  # type: ignore[arg-type]
        (Answer(summary=3), "it says no text"),  # type: ignore[arg-type]
        (Answer(summary="x", seen={"at": NOON}), "Object of type datetime is not JSON serializable"),
        (Answer(summary="x", seen={"at": float("nan")}), "Out of range float values are not JSON compliant"),
    ],
)
def test_what_is_no_answer_says_why(outcome: Outcome, said: str) -> None:
    result = asked(replace(free("AA001"), run=says(outcome)))[0].results[0]
    assert result.reason.startswith(f"its answer is not one: {said}") and result.seconds > 0


def test_what_a_broken_check_says_is_the_type_and_text_of_its_error_or_the_problem_alone() -> None:
    results = asked(free("AA001", KeyError("a")), free("AA002", REFUSED))[0].results
    assert [r.reason for r in results] == ["KeyError: 'a'", str(REFUSED)] and all(r.seconds > 0 for r in results)


@pytest.mark.parametrize("ends", [KeyboardInterrupt, GeneratorExit])
def test_a_plugin_ends_no_run(ends: type[BaseException]) -> None:
    report, _ = asked(free("AA001", ends(), origin="acme"), free("AA002"))
    assert rows(report) == [("AA001", "error", f"RuntimeError: {ends.__name__}, which nobody sent"), (
        "AA002", "pass", "looked",
    )]  # fmt: skip


def test_only_a_pass_settles_and_by_the_question_that_is_open() -> None:
    open_ones = [free(f"AA00{n}", Unknown(reason="open", question=q)) for n, q in enumerate(("a", "b", ""))]
    settling = free("AB001", settles=frozenset({"a"}))
    warning = free("AB002", warned("old", remedy="y"), settles=frozenset({"b"}))
    report, _ = asked(*open_ones, settling, warning)
    assert [r.settled_by for r in report.results] == ["ab001", "", "", "", ""]
    world = World(now=NOON, settings=Settings(accept_unknown=("AA000", "aa001")))
    report = asyncio.run(run(Selection((*open_ones, settling)), world, target=TARGET))
    assert [r.settled_by for r in report.results] == ["ab001", "accept-unknown", "", ""]


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_paid_check_that_is_interrupted_counts_at_its_price_and_one_that_had_not_started_at_nothing() -> None:
    async def endless(looked: Looked) -> Answer:
        await asyncio.sleep(30)
        return passed("late")

    checks = (free("AA001"), replace(paid("PA001", "0.40"), run=endless), paid("PA002"))
    events: list[Event] = []

    async def go() -> Report:
        priced = asyncio.Event()

        def observe(event: Event) -> None:
            events.append(event)
            if isinstance(event, Started) and event.check.stage is Stage.PAID:
                priced.set()

        task = asyncio.create_task(run(Selection(checks), WORLD, target=TARGET, observe=observe))
        await priced.wait()
        task.cancel()
        return await task

    report = asyncio.run(go())
    said = "interrupted before it could answer"
    assert rows(report) == [("AA001", "pass", "looked"), ("PA001", "error", said), ("PA002", "error", said)]
    assert [r.spent_usd for r in report.results] == [0, Decimal("0.40"), 0]
    assert (report.exit, report.is_interrupted) == (Exit.INTERRUPTED, True)
    assert kinds(events)[-2:] == ["Result PA001", "Result PA002"]


def test_the_limit_of_the_run_is_no_interrupt() -> None:
    async def endless(looked: Looked) -> Answer:
        await asyncio.sleep(30)
        return passed("late")

    report, _ = asked(replace(free("AA001", timeout_s=60), run=endless), limits=Limits(run_s=0.02))
    assert rows(report) == [("AA001", "error", "the run's limit of 0.02 s ended first (--timeout)")]
    assert (report.is_interrupted, report.exit) == (False, Exit.INCOMPLETE)


def test_a_given_lookup_is_not_made() -> None:
    key = broken(ValueError("made all the same"))
    check = free("AA001", needs=(key,))
    assert asked(check, given={key: "there"})[0].exit is Exit.READY
    assert asked(check, given={key: LookupFailed(key, "none")})[0].results[0].reason == "client: none"
