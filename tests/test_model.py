"""The words of the tool: what can't be said at all, and the one place where results become a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import pytest

from preflight.api import failed, passed, warned
from preflight.changes import Change
from preflight.lookups import Looked
from preflight.model import (
    Answer,
    Check,
    Exit,
    Finding,
    Fix,
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
    Where,
)


async def _never(looked: Looked) -> Answer:
    raise AssertionError("it is never run")


async def _free(looked: Looked) -> Price:
    return Price(Decimal(0), "nothing")


CHECK = Check(id="AA001", name="one", title="one is right", stage=Stage.STATIC, run=_never)
ANSWER = Answer(summary="looked")
HAVE_LOOKED = (Status.PASS, Status.WARN, Status.FAIL, Status.UNKNOWN)


def result(status: Status, **more: object) -> Result:
    answer = ANSWER if status in HAVE_LOOKED or more.get("assumed") else None
    return Result(check=CHECK, status=status, seconds=0.25, reason="why", answer=answer, **more)  # type: ignore[arg-type]


def report(*results: Result, **more: object) -> Report:
    started = datetime(2026, 11, 20, tzinfo=UTC)
    return Report(target=Target(), started=started, seconds=1.0, results=results, **more)  # type: ignore[arg-type]


def expected(statuses: tuple[Status, ...], *, counts_warnings: bool, is_interrupted: bool) -> Exit:
    if is_interrupted:
        return Exit.INTERRUPTED
    if Status.FAIL in statuses or (counts_warnings and Status.WARN in statuses):
        return Exit.FINDINGS
    if {Status.BLOCKED, Status.ERROR, Status.UNKNOWN} & {*statuses} or not {Status.PASS, Status.WARN} & {*statuses}:
        return Exit.INCOMPLETE
    return Exit.READY


def test_over_every_pair_of_statuses_the_exit_code_is_the_contracts() -> None:
    for pair in [(), *((s,) for s in Status), *product(Status, Status)]:
        for fail_on, is_interrupted in product((Status.FAIL, Status.WARN), (False, True)):
            given = report(*map(result, pair), fail_on=fail_on, is_interrupted=is_interrupted)
            wanted = expected(pair, counts_warnings=fail_on is Status.WARN, is_interrupted=is_interrupted)
            assert given.exit is wanted, (pair, fail_on, is_interrupted)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (report(result(Status.PASS), scope=Scope.WHOLE), Verdict.READY),
        (report(result(Status.PASS)), Verdict.CLEAN),
        (report(result(Status.PASS), scope=Scope.REHEARSAL), Verdict.REHEARSED),
        (report(result(Status.FAIL), scope=Scope.WHOLE), Verdict.NOT_READY),
        (report(result(Status.BLOCKED), scope=Scope.WHOLE), Verdict.INCOMPLETE),
        (report(result(Status.PASS), scope=Scope.WHOLE, is_interrupted=True), Verdict.INTERRUPTED),
    ],
)
def test_a_verdict_says_how_much_was_proved(given: Report, verdict: Verdict) -> None:
    assert given.verdict is verdict


def test_an_unknown_that_is_settled_counts_as_looked_at_and_one_that_is_not_keeps_the_run_open() -> None:
    assert report(result(Status.UNKNOWN)).exit is Exit.INCOMPLETE
    assert report(result(Status.UNKNOWN, settled_by="gpu-probe")).exit is Exit.READY
    assert report(result(Status.UNKNOWN, settled_by="x"), result(Status.UNKNOWN)).exit is Exit.INCOMPLETE


def test_only_skips_prove_nothing_but_an_answer_about_invented_things_was_looked_at() -> None:
    assert report(result(Status.SKIP)).exit is Exit.INCOMPLETE
    assert report(result(Status.SKIP, assumed="the bucket is invented")).exit is Exit.READY


def test_counts_and_dollars_are_over_all_results() -> None:
    given = report(result(Status.PASS, spent_usd=Decimal("0.10")), result(Status.PASS, spent_usd=Decimal("0.25")))
    assert (given.spent_usd, given.counts[Status.PASS], given.counts[Status.FAIL]) == (Decimal("0.35"), 2, 0)
    assert {*given.counts} == {*Status}


def finding(severity: Severity) -> Finding:
    return Finding(severity=severity, message="m", remedy="r")


@pytest.mark.parametrize(
    ("severities", "status"),
    [
        ((), Status.PASS),
        ((Severity.INFO,), Status.PASS),
        ((Severity.INFO, Severity.WARNING), Status.WARN),
        ((Severity.WARNING, Severity.ERROR, Severity.INFO), Status.FAIL),
    ],
)
def test_an_answers_status_is_its_worst_finding(severities: tuple[Severity, ...], status: Status) -> None:
    assert Answer(summary="x", findings=tuple(map(finding, severities))).status is status


@pytest.mark.parametrize(
    "make",
    [
        lambda: Answer(summary=""),
        lambda: NotApplicable(""),
        lambda: Unknown(reason=""),
        lambda: Finding(severity=Severity.ERROR, message="", remedy="r"),
        lambda: Finding(severity=Severity.WARNING, message="m", remedy=""),
        lambda: Finding(severity="fatal", message="m", remedy="r"),  # type: ignore[arg-type]
        lambda: Fix(edits=(), is_safe=True),
        lambda: Price(Decimal("-0.01"), "x"),
        lambda: Price(Decimal("NaN"), "x"),
        lambda: Price(Decimal("Infinity"), "x"),
        lambda: replace(CHECK, id="mod001"),
        lambda: replace(CHECK, id="MOD0001"),
        lambda: replace(CHECK, name="Two Words"),
        lambda: replace(CHECK, stage=Stage.PAID),
        lambda: replace(CHECK, price=_free),
        lambda: Result(check=CHECK, status=Status.PASS, seconds=0, reason="x"),
        lambda: Result(check=CHECK, status=Status.SKIP, seconds=0, reason="x", answer=ANSWER),
        lambda: Result(check=CHECK, status=Status.SKIP, seconds=0, reason=""),
        lambda: Result(check=CHECK, status=Status.PASS, seconds=0, reason="x", answer=ANSWER, assumed="invented"),
        lambda: Result(check=CHECK, status=Status.PASS, seconds=0, reason="x", answer=ANSWER, settled_by="y"),
    ],
)
def test_what_makes_no_sense_can_not_be_made(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        make()


def test_what_makes_sense_can() -> None:
    assert Finding(severity=Severity.INFO, message="m", remedy="").remedy == ""
    assert Finding(severity="error", message="m", remedy="r").severity is Severity.ERROR  # type: ignore[arg-type]
    assert replace(CHECK, stage=Stage.PAID, price=_free).price is _free
    assert Price(Decimal(0), "free").usd == 0
    assert result(Status.BLOCKED).findings == () and result(Status.PASS).findings == ()


def test_a_place_is_written_as_editors_read_it() -> None:
    assert (str(Where("a.py", 3, 1)), str(Where("a.py"))) == ("a.py:3", "a.py")


def test_the_short_forms_hold_one_finding_of_their_severity() -> None:
    assert passed("fine", n=1) == Answer(summary="fine", seen={"n": 1})
    bad, poor = failed("broken", remedy="fix", why="w", n=2), warned("poor", remedy="fix", summary="looked")
    assert (bad.status, bad.summary, bad.seen, bad.findings[0].why) == (Status.FAIL, "broken", {"n": 2}, "w")
    assert (poor.status, poor.summary, poor.findings[0].message) == (Status.WARN, "looked", "poor")


def test_a_change_of_a_file_shows_no_digest() -> None:
    assert Change(group="files", name="a", before="1", after=None).text == "file a is gone"
    assert Change(group="pins", name="torch", before=None, after="==2.3").text == "pins: torch is new: ==2.3"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Answer(summary=""), "an answer says what was looked at"),
        (lambda: NotApplicable(""), "a skipped check says why it does not apply"),
        (lambda: Unknown(reason=""), "an unknown says what could not be decided"),
        (lambda: Finding(severity=Severity.INFO, message="", remedy=""), "a finding needs a message and a remedy"),
        (lambda: Fix(edits=(), is_safe=True), "a fix without an edit"),
        (lambda: Price(Decimal("-0.01"), "x"), "a price of -0.01 US dollars"),
        (lambda: replace(CHECK, id="mod001"), "check id 'mod001' is not like MOD001"),
        (lambda: replace(CHECK, name="Two Words"), "check name 'Two Words' is not like s3-secret"),
        (lambda: replace(CHECK, stage=Stage.PAID), "AA001: a check has a price exactly when it is paid"),
        (
            lambda: Result(check=CHECK, status=Status.PASS, seconds=0, reason="x"),
            "AA001: pass does not fit its answer",
        ),
        (lambda: Result(check=CHECK, status=Status.SKIP, seconds=0, reason=""), "AA001: a result without a reason"),
        (
            lambda: Result(check=CHECK, status=Status.PASS, seconds=0, reason="x", answer=ANSWER, assumed="i"),
            "AA001: what rests on invented things is no pass",
        ),
        (
            lambda: Result(check=CHECK, status=Status.PASS, seconds=0, reason="x", answer=ANSWER, settled_by="y"),
            "AA001: only an unknown can be settled",
        ),
    ],
)
def test_who_makes_what_makes_no_sense_is_told_why(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == said


def test_a_check_without_a_title_takes_its_page_its_name_and_its_title_from_its_module() -> None:
    page = __doc__ or ""
    check = Check(id="AA001", stage=Stage.STATIC, run=_never)
    assert check.doc == page and check.name == __name__.rpartition(".")[2].replace("_", "-")
    assert check.title.startswith("the words of the tool: what can't be said at all")
    named = Check(id="AA001", name="own", stage=Stage.STATIC, run=_never)
    assert (named.name, named.doc) == ("own", page)
    assert (CHECK.title, CHECK.doc) == ("one is right", "")


@pytest.mark.parametrize("make", [failed, warned])
def test_the_short_forms_carry_everything_they_were_given(make: Callable[..., Answer]) -> None:
    severity = Severity.ERROR if make is failed else Severity.WARNING
    finding = Finding(severity=severity, message="m", remedy="r", why="w")
    assert make("m", remedy="r", why="w", summary="s", n=1) == Answer(summary="s", seen={"n": 1}, findings=(finding,))
    assert make("m", remedy="r") == Answer(summary="m", findings=(replace(finding, why=""),))


@pytest.mark.parametrize(
    ("group", "before", "after", "text"),
    [
        ("files", None, "2", "file a is new"),
        ("files", "1", None, "file a is gone"),
        ("files", "1", "2", "file a is changed"),
        ("pins", None, "2", "pins: a is new: 2"),
        ("pins", "1", None, "pins: a is gone; it was 1"),
        ("pins", "1", "2", "pins: a: 1 → 2"),
    ],
)
def test_a_change_says_what_became_of_what(group: str, before: str | None, after: str | None, text: str) -> None:
    assert Change(group=group, name="a", before=before, after=after).text == text
