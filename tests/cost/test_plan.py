"""Will it finish: against the arithmetic, and against runs that are really played through, attempt by attempt."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from preflight.cost.estimate import Resources
from preflight.cost.keeping import Keeping, Resumes
from preflight.cost.plan import Finishes, Outlook, Work, outlook, sessions_needed

RATE = Fraction("4.4032")
RESUMING = Keeping(Resumes.YES, "resume in app.py:3")
FORGETFUL = Keeping(Resumes.NO, "nothing in train's body saves or resumes")
UNSEEN = Keeping(Resumes.UNKNOWN, "train.py is not among the files that were read")


def work(hours: float, epochs: int | None = 100, startup_minutes: int = 3, **more: bool) -> Work:
    total = Fraction(hours).limit_denominator(10**6)
    return Work(
        hours=total,
        basis="given",
        epochs=epochs,
        epoch_hours=None if epochs is None else total / epochs,
        startup_hours=Fraction(startup_minutes, 60),
        **more,
    )


def seen(
    plan: Work, keeping: Keeping = RESUMING, *, limit_h: float = 24, attempts: int = 1, is_known: bool = True
) -> Outlook:
    resources = Resources(
        function="train", timeout_s=Decimal(str(limit_h * 3600)), attempts=attempts, is_timeout_known=is_known
    )
    return outlook(plan, resources, keeping, RATE)


@pytest.mark.parametrize(
    ("hours", "verdict"),
    [(1, "yes"), (21.5, "yes"), (21.7, "too-close"), (24, "too-close"), (26.3, "too-close"), (26.5, "no"), (60, "no")],
)
@pytest.mark.parametrize("keeping", [RESUMING, FORGETFUL, UNSEEN], ids=lambda k: k.resumes)
def test_one_attempt_is_judged_by_its_limit_and_ten_percent_either_way(
    hours: float, verdict: str, keeping: Keeping
) -> None:
    assert seen(work(hours), keeping).finishes == verdict


def test_a_resuming_run_finishes_in_as_many_sessions_as_it_has_attempts() -> None:
    found = seen(work(60), attempts=4)
    assert (found.finishes, found.sessions) == (Finishes.YES, 3)


def test_a_run_that_does_not_resume_never_finishes_however_often_it_is_retried() -> None:
    found = seen(work(60), FORGETFUL, attempts=11)
    assert (found.finishes, found.sessions, found.usd) == (Finishes.NO, None, None)
    assert "keep checkpoints" in found.remedy


def test_retries_of_a_run_whose_resuming_was_not_seen_are_not_taken_for_progress() -> None:
    assert seen(work(60), UNSEEN, attempts=4).finishes is Finishes.UNKNOWN


def test_an_epoch_longer_than_the_limit_never_ends_though_it_resumes() -> None:
    found = seen(work(60, epochs=2), attempts=11)
    assert (found.finishes, found.sessions) == (Finishes.NO, None)
    assert "more often" in found.remedy


def test_a_timeout_that_is_not_in_the_text_is_unknown_and_a_run_no_limit_can_hold_is_no() -> None:
    assert seen(work(10), is_known=False).finishes is Finishes.UNKNOWN
    assert seen(work(60), FORGETFUL, is_known=False).finishes is Finishes.NO


def test_the_dollars_are_those_of_every_session_with_its_start_up_and_the_repeated_epoch() -> None:
    found = seen(work(25), attempts=2)  # 25 h of steps, 2 × 3 min, 1 × 15 min again
    assert found.hours == Fraction("25.35")
    assert found.usd == Decimal("111.62")


def test_given_hours_hold_their_own_start_up() -> None:
    found = seen(work(20, epochs=None, has_startup=True))
    assert (found.hours, found.usd) == (20, Decimal("88.06"))


def test_a_preemption_loses_one_epoch_where_checkpoints_are_kept_and_all_of_it_where_not() -> None:
    assert seen(work(20)).lost_hours == Fraction("0.25")  # an epoch of 12 min, and 3 min of start-up
    assert seen(work(20), FORGETFUL).lost_hours == Fraction("20.05")
    assert seen(work(60), FORGETFUL).lost_hours == 24


def test_what_a_preemption_loses_is_not_claimed_where_nothing_says_how_often_a_checkpoint_is_kept() -> None:
    assert seen(work(20, epochs=None)).lost_hours is None
    assert seen(work(20), UNSEEN).lost_hours is None


def test_what_is_taken_for_granted_is_said() -> None:
    assert "a checkpoint is kept every epoch" in " ".join(seen(work(20), RESUMING).assumptions)


def test_a_retry_repeats_its_input_so_resuming_that_is_off_by_default_is_no_second_session() -> None:
    off = replace(RESUMING, condition="it resumes only when resume is given, which is False by default")
    told = seen(work(40), off, attempts=3)
    assert (told.finishes, told.sessions) == (Finishes.NO, None)
    assert "retries= repeats the same input" in told.why
    assert "resume by default" in told.remedy and "set retries=1" not in told.remedy
    assert seen(work(40), RESUMING, attempts=3).finishes is Finishes.YES
    assert seen(work(20), off).finishes is Finishes.YES  # one session needs no second input


@pytest.mark.parametrize("hours", [0, -1, 100_001])
def test_hours_that_can_be_no_plan_are_refused(hours: int) -> None:
    with pytest.raises(ValueError, match="hours of work"):
        work(hours)


def played(rng: random.Random, plan: Work, limit_h: float, attempts: int, *, resumes: bool) -> bool:
    """A run with 2 % of jitter on every epoch: does it get to its end?"""
    assert plan.epochs is not None and plan.epoch_hours is not None
    done = 0
    for _ in range(attempts):
        left = limit_h - float(plan.startup)
        done = done if resumes else 0
        while done < plan.epochs:
            left -= float(plan.epoch_hours) * rng.gauss(1, 0.02)
            if left < 0:
                break
            done += 1
        if done == plan.epochs:
            return True
    return False


def test_two_thousand_runs_played_through_end_as_was_said_and_those_too_close_are_close() -> None:
    rng = random.Random(11)
    wrong = 0
    verdicts = dict.fromkeys(Finishes, 0)
    for _ in range(2000):
        limit, attempts, resumes = rng.uniform(1, 24), rng.choice([1, 1, 2, 4]), rng.random() < 0.6
        plan = work(limit * rng.uniform(0.3, 1.6) * (attempts if resumes else 1), epochs=rng.randint(20, 200))
        said = seen(plan, RESUMING if resumes else FORGETFUL, limit_h=round(limit, 3), attempts=attempts).finishes
        verdicts[said] += 1
        if said in (Finishes.YES, Finishes.NO):
            wrong += played(rng, plan, round(limit, 3), attempts, resumes=resumes) != (said is Finishes.YES)
    assert wrong == 0
    assert min(verdicts[v] for v in (Finishes.YES, Finishes.NO, Finishes.TOO_CLOSE)) > 100


def test_sessions_are_enough_for_the_work_that_every_cut_off_costs() -> None:
    rng = random.Random(3)
    for _ in range(500):
        plan, limit = work(rng.uniform(1, 200), epochs=rng.randint(1, 300)), Fraction(rng.randint(1, 24))
        count = sessions_needed(plan, limit, resumes=True)
        if count is not None and count > 1:
            kept = limit - plan.startup - (plan.epoch_hours or 0)
            assert kept * (count - 1) + limit - plan.startup >= plan.steps_hours
