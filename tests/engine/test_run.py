import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given as draw
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from preflight.api import failed, passed, warned
from preflight.app.lookups import READING
from preflight.engine import run as engine
from preflight.engine.run import Limits, run
from preflight.engine.select import Selection
from preflight.events import Event, Progress, Waiting
from preflight.lookups import Looked, Lookup, LookupFailed, World
from preflight.model import (
    Answer,
    Check,
    Exit,
    Finding,
    NotApplicable,
    Price,
    Report,
    Result,
    Scope,
    Severity,
    Stage,
    Status,
    Target,
    Unknown,
    Verdict,
)
from preflight.problems import Kind, Problem
from preflight.settings import Settings
from preflight.testing import NOON, run_checks
from preflight.threads import in_thread

Body = Callable[[Looked], Awaitable[Answer | NotApplicable]]
made: list[str] = []


@asynccontextmanager
async def make_client(looked: Looked) -> AsyncIterator[str]:
    made.append("made")
    await asyncio.sleep(0.05)
    yield "client"
    made.append("closed")


@asynccontextmanager
async def make_broken(looked: Looked) -> AsyncIterator[str]:
    raise PermissionError("token expired")
    yield ""


@asynccontextmanager
async def make_slow(looked: Looked) -> AsyncIterator[str]:
    await asyncio.sleep(0.4)
    yield "slow"


CLIENT: Lookup[str] = Lookup("client", make_client)
BROKEN: Lookup[str] = Lookup("Modal client", make_broken)
CHILD: Lookup[str] = Lookup("volume list", make_client, needs=(BROKEN,))
SLOW: Lookup[str] = Lookup("slow", make_slow)


async def fine(looked: Looked) -> Answer:
    return passed("looked")


def check(
    id: str, *needs: Lookup[str], body: Body = fine, timeout_s: float = 5, stage: Stage = Stage.STATIC, usd: str = "0"
) -> Check:
    async def price(looked: Looked) -> Price:
        return Price(Decimal(usd), "a test")

    return Check(
        id=id,
        name=id.lower(),
        title=f"{id} is right",
        stage=stage,
        needs=needs,
        run=body,
        timeout_s=timeout_s,
        price=price if stage is Stage.PAID else None,
    )


def says(answer: Answer | NotApplicable) -> Body:
    async def body(looked: Looked) -> Answer | NotApplicable:
        return answer

    return body


def statuses(report: Report) -> list[Status]:
    return [r.status for r in report.results]


def test_lookup_is_made_once_for_many_checks_and_closed_after() -> None:
    made.clear()
    report = run_checks(*(check(f"AA{i:03}", CLIENT) for i in range(20)))
    assert made == ["made", "closed"]
    assert report.exit is Exit.READY


def test_failed_lookup_blocks_its_checks_and_names_the_check_that_explains_it() -> None:
    explaining = replace(check("MOD001", BROKEN), explains=(BROKEN,))
    report = run_checks(explaining, check("MOD002", CHILD), check("MOD003", CLIENT))
    assert statuses(report) == [Status.BLOCKED, Status.BLOCKED, Status.PASS]
    assert (report.results[1].reason, report.results[1].blocked_by) == ("Modal client: token expired", "MOD001")
    assert report.results[0].blocked_by == ""
    assert (report.exit, report.verdict) == (Exit.INCOMPLETE, Verdict.INCOMPLETE)


def test_a_crash_in_one_check_leaves_the_others_their_answers() -> None:
    async def boom(looked: Looked) -> Answer:
        raise RuntimeError("bug")

    async def leave(looked: Looked) -> Answer:
        raise SystemExit(0)

    report = run_checks(check("AA001", body=boom), check("AA002", body=leave), check("AA003"))
    assert statuses(report) == [Status.ERROR, Status.ERROR, Status.PASS]
    assert report.results[0].reason == "RuntimeError: bug"


def test_an_answer_that_is_none_costs_its_own_row_in_every_format() -> None:
    async def nothing(looked: Looked) -> Answer:
        return None  # type: ignore[return-value]

    async def unprintable(looked: Looked) -> Answer:
        return passed("looked", at=NOON)

    async def cancelled(looked: Looked) -> Answer:
        raise asyncio.CancelledError

    async def other_severity(looked: Looked) -> Answer:
        return Answer(summary="looked", findings=(Finding(severity="fatal", message="x", remedy="y"),))  # type: ignore[arg-type]

    bodies = (nothing, unprintable, cancelled, other_severity)
    report = run_checks(*(check(f"AA{i:03}", body=body) for i, body in enumerate(bodies)), check("AA009"))
    assert statuses(report) == [Status.ERROR] * 4 + [Status.PASS]
    assert report.exit is Exit.INCOMPLETE


def test_a_plugin_that_blocks_or_swallows_its_end_costs_its_own_answer_only() -> None:
    async def blocks(looked: Looked) -> Answer:
        time.sleep(3)  # noqa: ASYNC251 - that is the fault
        return passed("late")

    async def swallows(looked: Looked) -> Answer:
        for _ in range(60):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)
        return passed("late")

    plugins = [
        replace(check(f"AA{i:03}", body=b, timeout_s=0.2), origin="acme") for i, b in enumerate((blocks, swallows))
    ]
    began = time.monotonic()
    report = run_checks(*plugins, check("AA009"))
    assert statuses(report) == [Status.ERROR, Status.ERROR, Status.PASS]
    assert time.monotonic() - began < 2


def test_unknown_keeps_the_exit_code_from_zero_until_a_pass_settles_it_or_the_user_accepts_it() -> None:
    async def undecided(looked: Looked) -> Unknown:
        return Unknown(reason="the base image is not in the text", question="kernels")

    async def other(looked: Looked) -> Unknown:
        return Unknown(reason="the base image is not in the text", question="other")

    open_question = check("AA001", body=undecided)
    settling = replace(check("AA002"), settles=frozenset({"kernels"}))
    assert run_checks(open_question).exit is Exit.INCOMPLETE
    settled = run_checks(open_question, settling)
    assert (settled.exit, settled.results[0].settled_by) == (Exit.READY, "aa002")
    accepted = run_checks(open_question, check("AA003"), settings=Settings(accept_unknown=("aa001",)))
    assert (accepted.exit, accepted.results[0].settled_by) == (Exit.READY, "accept-unknown")
    assert run_checks(check("AA001", body=other), settling).exit is Exit.INCOMPLETE


def test_an_error_beside_an_unknown_is_a_fail() -> None:
    async def both(looked: Looked) -> Unknown:
        return Unknown(reason="one image is open", findings=failed("x", remedy="y").findings)

    assert statuses(run_checks(check("AA001", body=both))) == [Status.FAIL]


def test_what_counts_is_what_the_judge_makes_of_an_answer() -> None:
    def judge(app: str, result: Result) -> Result:
        return replace(result, status=Status.SKIP, assumed="the secret")

    remote = check("AA001", stage=Stage.REMOTE)
    events: list[Event] = []
    world = World(now=NOON, settings=Settings())
    ran = run(Selection((remote,)), world, target=Target(), judge=judge, observe=events.append, scope=Scope.REHEARSAL)
    report = asyncio.run(ran)
    assert [(r.status, r.assumed) for r in report.results] == [(Status.SKIP, "the secret")]
    assert report.verdict is Verdict.REHEARSED and report.results[0] in events


def test_of_several_apps_each_reads_its_own_and_what_is_no_apps_own_is_made_once() -> None:
    made: list[str] = []

    @asynccontextmanager
    async def recipe(looked: Looked) -> AsyncIterator[str]:
        made.append(f"recipe of {looked.settings.app}")
        yield str(looked.settings.app)

    @asynccontextmanager
    async def account(looked: Looked) -> AsyncIterator[str]:
        made.append("account")
        yield "theirs"

    of_app = Lookup("recipe", recipe, needs=(READING,))
    of_all: Lookup[str] = Lookup("account", account)

    async def body(looked: Looked) -> Answer:
        return passed(f"{looked[of_app]} for {looked[of_all]}")

    async def once(looked: Looked) -> Answer:
        return passed(looked[of_all])

    checks = (check("AA001", of_app, of_all, body=body), check("AA002", of_all, body=once))
    apps = {app: (World(now=NOON, settings=Settings(app=app)), {READING: None}) for app in ("a.py", "b.py")}
    events: list[Event] = []
    world = apps["a.py"][0]
    report = asyncio.run(run(Selection(checks), world, target=Target(), apps=apps, observe=events.append))
    assert [r.reason for r in report.results] == ["a.py: a.py for theirs; b.py: b.py for theirs", "theirs"]
    assert sorted(made) == ["account", "recipe of a.py", "recipe of b.py"]
    assert [e for e in events if isinstance(e, Progress)] == [Progress(app, "looking at it") for app in apps]
    assert [e.check.id for e in events if isinstance(e, Result)] == ["AA002", "AA001"]  # when each app has answered


def test_a_slow_lookup_blocks_its_checks_at_its_own_limit() -> None:
    hasty: Lookup[str] = Lookup("price list", make_slow, timeout_s=0.1)
    report = run_checks(check("AA001", hasty), check("AA002", SLOW))
    assert statuses(report) == [Status.BLOCKED, Status.PASS]
    assert report.results[0].reason == "price list: no answer after 0.1 s"


def test_a_timeout_raised_by_a_check_is_not_taken_for_its_time_limit() -> None:
    async def own(looked: Looked) -> Answer:
        raise TimeoutError("the volume lock is held")

    assert run_checks(check("AA001", body=own)).results[0].reason == "TimeoutError: the volume lock is held"


def test_a_stuck_thread_does_not_outlive_its_check() -> None:
    async def stuck(looked: Looked) -> Answer:
        await in_thread(time.sleep, 3)
        return passed("never")

    began = time.monotonic()
    report = run_checks(check("AA001", body=stuck, timeout_s=0.2))
    assert statuses(report) == [Status.ERROR]
    assert report.results[0].reason == "no answer after 0.2 s"
    assert time.monotonic() - began < 1.5


def test_an_undeclared_lookup_is_an_error_not_a_silent_call() -> None:
    async def sneaky(looked: Looked) -> Answer:
        return passed(looked[CLIENT])

    assert "not in the needs of aa001" in run_checks(check("AA001", body=sneaky)).results[0].reason


def test_nothing_selected_is_not_success() -> None:
    assert run_checks().exit is Exit.INCOMPLETE


def test_only_skips_are_not_success() -> None:
    report = run_checks(check("AA001", body=says(NotApplicable("no bucket in the app"))))
    assert (statuses(report), report.exit) == ([Status.SKIP], Exit.INCOMPLETE)


def test_advice_leaves_a_pass_a_pass() -> None:
    advice = Answer(summary="seen", findings=(Finding(severity=Severity.INFO, message="slow build", remedy=""),))
    report = run_checks(check("AA001", body=says(advice)))
    assert (statuses(report), report.exit) == ([Status.PASS], Exit.READY)


def test_a_warning_fails_only_when_asked() -> None:
    body = says(warned("old", remedy="update"))
    selection = Selection((check("AA001", body=body),))
    world = World(now=NOON, settings=Settings())
    exits = [
        asyncio.run(run(selection, world, target=Target(), fail_on=fail_on)).exit
        for fail_on in (Status.FAIL, Status.WARN)
    ]
    assert exits == [Exit.READY, Exit.FINDINGS]


def test_the_check_that_answers_for_a_lookup_turns_its_failure_into_a_finding() -> None:
    async def token(looked: Looked) -> Answer:
        got = looked.tried(BROKEN)
        if isinstance(got, LookupFailed):
            return failed(str(got), remedy="modal token new")
        return passed(got)

    mod001 = Check(
        id="MOD001", name="token", title="the token is valid", stage=Stage.REMOTE, tries=(BROKEN,), run=token
    )
    report = run_checks(mod001, check("AA002", CHILD))
    assert {r.check.id: r.status for r in report.results} == {"MOD001": Status.FAIL, "AA002": Status.BLOCKED}
    assert report.exit is Exit.FINDINGS


# --- money -------------------------------------------------------------------------------------------------------


def test_nothing_paid_starts_after_a_free_failure() -> None:
    started: list[str] = []

    async def spend(looked: Looked) -> Answer:
        started.append("spent")
        return passed("ran")

    report = run_checks(
        check("AA001", body=says(failed("wrong", remedy="mend"))), check("PA001", body=spend, stage=Stage.PAID)
    )
    assert (started, statuses(report)) == ([], [Status.FAIL, Status.SKIP])
    assert report.results[1].reason == "not started: aa001 must be right first"


def test_a_paid_check_over_the_limit_is_blocked_and_says_its_price() -> None:
    report = run_checks(
        check("PA001", stage=Stage.PAID, usd="1.40"),
        check("PA002", stage=Stage.PAID, usd="0.61"),
        limits=Limits(spend_max_usd=Decimal("2.00")),
    )
    assert statuses(report) == [Status.PASS, Status.BLOCKED]
    assert report.results[1].reason == "needs up to $0.61 (a test); --spend-max leaves $0.60"
    assert (report.spent_usd, report.exit) == (Decimal("1.40"), Exit.INCOMPLETE)


def test_a_paid_check_that_is_named_runs_whatever_the_free_ones_found() -> None:
    chosen = (check("AA001", body=says(failed("wrong", remedy="mend"))), check("PA001", stage=Stage.PAID))
    world = World(now=NOON, settings=Settings())
    report = asyncio.run(run(Selection(chosen, is_named=True), world, target=Target()))
    assert statuses(report) == [Status.FAIL, Status.PASS]


@hypothesis_settings(max_examples=60, deadline=None)
@draw(st.lists(st.sampled_from(["pass", "warn", "fail", "skip", "blocked", "error"]), min_size=1, max_size=6))
def test_over_random_outcomes_money_is_spent_only_when_nothing_free_was_wrong_or_unknown(free: list[str]) -> None:
    async def boom(looked: Looked) -> Answer:
        raise RuntimeError("bug")

    bodies: dict[str, Body] = {
        "pass": fine,
        "warn": says(warned("old", remedy="update")),
        "fail": says(failed("wrong", remedy="mend")),
        "skip": says(NotApplicable("nothing there")),
        "error": boom,
        "blocked": fine,
    }
    failing = LookupFailed(BROKEN, "no token")
    checks = [
        check(f"AA{i:03}", *([BROKEN] if kind == "blocked" else []), body=bodies[kind]) for i, kind in enumerate(free)
    ]
    report = run_checks(*checks, check("PA001", stage=Stage.PAID, usd="0.10"), given={BROKEN: failing})
    spends = report.spent_usd > 0
    assert spends == (not {"fail", "blocked", "error"} & set(free))


KINDS = ("pass", "pass", "pass", "warn", "fail", "skip", "blocked", "error", "slow")


@hypothesis_settings(max_examples=100, deadline=None)
@draw(
    st.lists(st.sampled_from(KINDS), max_size=6),
    st.lists(st.integers(0, 120), min_size=1, max_size=4),
    st.integers(0, 200),
    st.sampled_from([Status.FAIL, Status.WARN]),
    st.randoms(use_true_random=False),
)
def test_over_random_runs_nothing_paid_starts_beside_or_after_what_is_wrong_and_never_more_than_the_limit(
    free: list[str], cents: list[int], most: int, fail_on: Status, rng: random.Random
) -> None:
    ended: list[str] = []
    spent: list[int] = []

    def free_body(kind: str) -> Body:
        async def body(looked: Looked) -> Answer | NotApplicable:
            await asyncio.sleep(0.02 if kind == "slow" else 0)
            ended.append(kind)
            if kind == "error":
                raise RuntimeError("bug")
            found = {"warn": warned("old", remedy="update"), "fail": failed("wrong", remedy="mend")}
            return NotApplicable("nothing there") if kind == "skip" else found.get(kind, passed("looked"))

        return body

    def paid_body(price: int) -> Body:
        async def body(looked: Looked) -> Answer:
            assert len(ended) == sum(k != "blocked" for k in free), "a paid check runs beside a free one"
            spent.append(price)
            return passed("ran")

        return body

    checks = [
        check(f"AA{i:03}", *([BROKEN] if kind == "blocked" else []), body=free_body(kind))
        for i, kind in enumerate(free)
    ]
    checks += [
        check(f"PA{i:03}", body=paid_body(price), stage=Stage.PAID, usd=str(Decimal(price) / 100))
        for i, price in enumerate(cents)
    ]
    rng.shuffle(checks)
    limits = Limits(spend_max_usd=Decimal(most) / 100)
    work = run(
        Selection(tuple(checks)),
        World(NOON, Settings()),
        target=Target(),
        given={BROKEN: LookupFailed(BROKEN, "no token")},
        limits=limits,
        fail_on=fail_on,
    )
    report = asyncio.run(work)
    bad = {"fail", "blocked", "error"} | ({"warn"} if fail_on is Status.WARN else set())
    if bad & set(free):
        assert spent == []
    else:
        assert spent == _within(most, [int(c.id[2:]) for c in checks if c.stage is Stage.PAID], cents)
    assert report.spent_usd == Decimal(sum(spent)) / 100 <= limits.spend_max_usd


def _within(most: int, order: list[int], cents: list[int]) -> list[int]:
    """The prices that fit in what is left, in order, up to the first that does not: after it nothing paid starts."""
    fits: list[int] = []
    for price in (cents[i] for i in order):
        if sum(fits) + price > most:
            break
        fits.append(price)
    return fits


# --- time --------------------------------------------------------------------------------------------------------


def test_the_runs_limit_keeps_the_answers_that_were_there() -> None:
    async def slow(looked: Looked) -> Answer:
        await asyncio.sleep(30)
        return passed("late")

    began = time.monotonic()
    report = run_checks(check("AA001"), check("AA002", body=slow, timeout_s=60), limits=Limits(run_s=0.3))
    assert statuses(report) == [Status.PASS, Status.ERROR]
    assert report.results[1].reason == "the run's limit of 0.3 s ended first (--timeout)"
    assert time.monotonic() - began < 2


def test_an_interrupt_keeps_the_answers_that_were_there() -> None:
    async def slow(looked: Looked) -> Answer:
        await asyncio.sleep(30)
        return passed("late")

    async def go() -> Report:
        chosen = (check("AA001"), check("AA002", body=slow, timeout_s=60))
        task = asyncio.create_task(run(Selection(chosen), World(NOON, Settings()), target=Target()))
        await asyncio.sleep(0.1)
        task.cancel()
        return await task

    report = asyncio.run(go())
    assert statuses(report) == [Status.PASS, Status.ERROR]
    assert (report.exit, report.verdict) == (Exit.INTERRUPTED, Verdict.INTERRUPTED)


def test_wait_asks_again_what_may_become_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WAITS_S", (0.05,))
    tries: list[int] = []

    async def flaky(looked: Looked) -> Answer:
        tries.append(1)
        if len(tries) < 2:
            raise Problem(Kind.UNREACHABLE, service="Modal", operation="hello", message="connection refused")
        return passed("there")

    events: list[Event] = []
    chosen = (check("AA001", body=flaky), check("AA002"))
    report = asyncio.run(
        run(
            Selection(chosen),
            World(NOON, Settings()),
            target=Target(),
            limits=Limits(wait_s=10),
            observe=events.append,
        )
    )
    assert statuses(report) == [Status.PASS, Status.PASS]
    assert len(tries) == 2
    assert [e.names for e in events if isinstance(e, Waiting)] == [("aa001",)]
    assert sum(isinstance(e, Result) and e.check.id == "AA002" for e in events) == 1


def test_wait_never_waits_for_what_can_not_become_true() -> None:
    async def refused(looked: Looked) -> Answer:
        raise Problem(Kind.REFUSED, service="Modal", operation="hello", message="token expired")

    began = time.monotonic()
    report = run_checks(
        check("AA001", body=refused),
        check("AA002", body=says(failed("wrong recipe", remedy="mend it"))),
        limits=Limits(wait_s=30),
    )
    assert statuses(report) == [Status.ERROR, Status.FAIL]
    assert time.monotonic() - began < 1


# --- random graphs -----------------------------------------------------------------------------------------------

Graph = list[tuple[str, list[int]]]


@st.composite
def graphs(draw_: st.DrawFn) -> tuple[Graph, list[tuple[list[int], str]]]:
    """Lookups in an acyclic order, each "fine", "fails" or "hangs"; checks with needs and how they end."""
    size = draw_(st.integers(1, 6))
    lookups: Graph = []
    for i in range(size):
        kind = draw_(st.sampled_from(["fine", "fine", "fails", "hangs"]))
        lookups.append((kind, draw_(st.lists(st.integers(0, i - 1), max_size=2, unique=True)) if i else []))
    ends = st.sampled_from(["fine", "fine", "crashes", "hangs"])
    checks = draw_(
        st.lists(st.tuples(st.lists(st.integers(0, size - 1), max_size=3, unique=True), ends), min_size=1, max_size=6)
    )
    return lookups, checks


@hypothesis_settings(max_examples=100, deadline=None)
@draw(graphs())
def test_over_random_graphs_no_dependant_runs_after_a_failed_need_and_no_answer_is_lost(
    graph: tuple[Graph, list[tuple[list[int], str]]],
) -> None:
    shapes, wanted = graph
    lookups: list[Lookup[int]] = []
    sound: list[bool] = []
    for i, (kind, needs) in enumerate(shapes):
        lookups.append(_lookup(i, kind, tuple(lookups[n] for n in needs)))
        sound.append(kind == "fine" and all(sound[n] for n in needs))
    ran: list[str] = []

    def body(name: str, end: str) -> Body:
        async def run_(looked: Looked) -> Answer:
            ran.append(name)
            if end == "crashes":
                raise ValueError("bug")
            if end == "hangs":
                await asyncio.sleep(30)
            return passed("ok")

        return run_

    checks = [
        Check(
            id=f"AA{i:03}",
            name=f"c{i}",
            title="t",
            stage=Stage.STATIC,
            needs=tuple(lookups[n] for n in needs),
            timeout_s=0.005,
            run=body(f"c{i}", end),
        )
        for i, (needs, end) in enumerate(wanted)
    ]
    report = run_checks(*checks)
    assert [r.check.id for r in report.results] == [c.id for c in checks]
    for (needs, end), result in zip(wanted, report.results, strict=True):
        if not all(sound[n] for n in needs):
            assert result.status is Status.BLOCKED
            assert result.check.name not in ran
        else:
            assert result.status is (Status.PASS if end == "fine" else Status.ERROR)


def _lookup(i: int, kind: str, needs: tuple[Lookup[int], ...]) -> Lookup[int]:
    @asynccontextmanager
    async def make(looked: Looked) -> AsyncIterator[int]:
        if kind == "fails":
            raise OSError("gone")
        if kind == "hangs":
            await asyncio.sleep(30)
        yield i

    return Lookup(f"l{i}", make, needs=needs, timeout_s=0.005 if kind == "hangs" else 5.0)


def test_an_interrupted_run_ends_in_130_whatever_else_was_found() -> None:
    report = run_checks(check("AA001", body=says(failed("x", remedy="y"))))
    assert report.exit is Exit.FINDINGS
    assert replace(report, is_interrupted=True).exit is Exit.INTERRUPTED


def test_wait_does_not_ask_again_where_one_of_two_errors_can_not_clear() -> None:
    asked: list[int] = []

    def answers(*can_clear: bool) -> Body:
        async def body(looked: Looked) -> Answer:
            asked.append(1)
            found = (Finding(severity=Severity.ERROR, message="m", remedy="r", can_clear=c) for c in can_clear)
            return Answer(summary="looked", findings=tuple(found))

        return body

    asyncio.run(_waited(answers(True, False)))
    assert len(asked) == 1
    asked.clear()
    asyncio.run(_waited(answers(True, True)))
    assert len(asked) > 1


async def _waited(body: Body) -> Report:
    world = World(now=NOON, settings=Settings())
    chosen = Selection((check("AA001", body=body),))
    return await run(chosen, world, target=Target(), limits=Limits(wait_s=0.2))
