"""The edges of plan, allowance and rates: a minute, a second or a cent to either side, and every reason's words."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from preflight.cost.estimate import Resources
from preflight.cost.keeping import Keeping, Resumes
from preflight.cost.plan import Finishes, Work, fits_one_attempt, hours_text, outlook, sessions_needed
from preflight.cost.rates import CPU, RateRefused, Rates
from preflight.cost.reckoning import Allowance, allowance
from preflight.lookups import LookupFailed
from preflight.remote.lookups import SPEND
from preflight.remote.modal_types import Environment, Spend
from tests.kept import assert_kept

# --- will it finish --------------------------------------------------------------------------------------------------

YES, NO = Keeping(Resumes.YES, "resume in app.py:3"), Keeping(Resumes.NO, "nothing resumes")
OPEN = Keeping(Resumes.UNKNOWN, "fit.py is not among the files that were read")
OFF = replace(YES, condition="it resumes only when resume is given, which is False by default")


def work(hours: Fraction | int, epochs: int | None = None, **more: Any) -> Work:
    total = Fraction(hours)
    each = None if epochs is None else total / epochs
    return Work(hours=total, basis="given", epochs=epochs, epoch_hours=each, startup_hours=Fraction(1), **more)


@pytest.mark.parametrize(
    ("hours", "epochs", "sessions"),
    [
        *[(23, None, 1), (Fraction(2301, 100), None, 2), (46, None, 2), (47, None, 3), (44, 44, 2), (45, 45, 2)],
        *[(46, 46, 3), (46, 2, None), (47, 2, None), (Fraction(45), 2, 45)],
    ],
)
def test_the_sessions_of_a_run_that_resumes(hours: Fraction | int, epochs: int | None, sessions: int | None) -> None:
    """An attempt of 24 h has 23 h after its start-up, of which a cut-off loses an epoch."""
    assert sessions_needed(work(hours, epochs), Fraction(24), resumes=True) == sessions
    assert sessions_needed(work(hours, epochs), Fraction(24), resumes=False) == (1 if sessions == 1 else None)


def asks(hours: float = 24, attempts: int = 1, *, is_known: bool = True) -> Resources:
    seconds = Decimal(str(hours * 3600))
    return Resources(function="train", timeout_s=seconds, attempts=attempts, is_timeout_known=is_known)


def test_what_is_over_well_before_the_limit_needs_no_look_at_resuming() -> None:
    assert fits_one_attempt(work(Fraction("20.6")), asks())  # 0.9 × 24 h, less an hour of start-up
    assert not fits_one_attempt(work(Fraction("20.61")), asks())
    assert not fits_one_attempt(work(1), asks(is_known=False))
    assert not fits_one_attempt(work(60), asks(attempts=9))


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        ("24", "24 h"),
        ("25.05", "25.05 h"),
        ("25.5", "25.5 h"),
        ("1", "1 h"),
        ("0.99", "59.4 min"),
        ("0.205", "12.3 min"),
        ("100", "100 h"),
        ("0.0166", "0.996 min"),
        ("1.5", "1.5 h"),
    ],
)
def test_hours_are_shown_in_the_unit_that_one_speaks_of(hours: str, text: str) -> None:
    assert hours_text(Fraction(hours)) == text


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("attempts", [1, 3])
def test_every_outlook_is_as_it_was_read_and_kept(attempts: int, is_known: bool) -> None:
    rows = {}
    for hours in (23, 25, 60):
        for epochs in (None, 2, 50):
            for name, keeping in (("resumes", YES), ("forgets", NO), ("open", OPEN), ("off", OFF)):
                for limit in (12, 24):
                    found = outlook(work(hours, epochs), asks(limit, attempts, is_known=is_known), keeping, Fraction(4))
                    why = found.keeping.why if found.keeping != keeping else ""
                    numbers = " ".join(str(n) for n in (found.sessions, found.hours, found.usd, found.lost_hours))
                    text = f"{found.finishes}: {found.why} -> {found.remedy} ({numbers}) {'; '.join(found.assumptions)}"
                    rows[f"{hours} h, {epochs} epochs, {name}, {limit} h"] = f"{text} {why}".strip()
                    assert (found.attempts, found.limit_hours) == (attempts, limit)
    assert_kept(f"outlooks-{attempts}{'' if is_known else '-open'}", rows)


def test_a_plan_keeps_its_own_assumptions_first() -> None:
    found = outlook(work(20, 20, assumptions=("mine",)), asks(), YES, Fraction(4))
    assert found.assumptions == ("mine", "a checkpoint is kept every epoch, so a cut-off loses one epoch at most")
    assert found.finishes is Finishes.YES


def test_a_start_up_longer_than_the_hours_that_hold_it_is_all_of_them() -> None:
    short = work(Fraction(1, 2), has_startup=True)
    assert (short.startup, short.steps_hours) == (Fraction(1, 2), 0)
    assert (work(2, has_startup=True).startup, work(2, has_startup=True).steps_hours) == (1, 1)
    assert (work(2).startup, work(2).steps_hours) == (1, 2)
    assert work(100_000).hours == 100_000
    with pytest.raises(ValueError, match=r"^100001 hours of work; wanted more than 0, and 100,000 at most$"):
        work(100_001)
    with pytest.raises(ValueError, match="hours of work"):
        Work(hours=Fraction(1), basis="", startup_hours=Fraction(-1))
    assert Work(hours=Fraction(1), basis="", startup_hours=Fraction(0)).startup == 0


# --- what is left ----------------------------------------------------------------------------------------------------

HERE = Environment(
    name="main",
    is_default=True,
    builder=None,
    budget_usd=Decimal(1000),
    spend_limit_usd=None,
    spent_usd=Decimal(30),
    is_spend_limit_reached=True,
)


def test_an_allowance_is_whole() -> None:
    spent = Spend(metered_usd=Decimal(35))
    assert allowance(HERE, spent, None) == Allowance(
        environment="main",
        spent_usd=Decimal(35),
        left_usd=Decimal(970),
        of="the $1,000.00 budget",
        is_limit_reached=True,
    )
    free = replace(HERE, budget_usd=None)
    assert allowance(free, LookupFailed(SPEND, "no"), None) == Allowance(
        environment="main", spent_usd=Decimal(30), is_limit_reached=True
    )
    why = "the amounts of environment main make no sense: spent is nan"
    unclear = replace(HERE, unclear="spent is nan")
    assert allowance(unclear, spent, None) == Allowance(environment="main", unknown=why, is_unclear=True)
    assert allowance(unclear, spent, Decimal(1)) == Allowance(
        environment="main", left_usd=Decimal(1), of="the $1.00 you allow", unknown=why, is_unclear=True
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (Allowance(left_usd=Decimal(0), of="x"), "$0.00 left of x"),
        (Allowance(left_usd=Decimal("-1234.5"), of="x"), "nothing is left of x, $1,234.50 more is spent"),
        (Allowance(left_usd=Decimal(1234), of="x", unknown="y"), "$1,234.00 left of x"),
        (Allowance(), "no budget is set"),
        (Allowance(spent_usd=Decimal(1234)), "$1,234.00 spent this cycle, no budget is set"),
        (Allowance(unknown="refused"), "the budget could not be read"),
    ],
)
def test_an_allowance_in_words(given: Allowance, text: str) -> None:
    assert given.text == text


# --- rates -----------------------------------------------------------------------------------------------------------

A100, NEW = "gpu_hour_cost_a100_80gb", "gpu_hour_cost_r300"


@pytest.mark.parametrize(
    ("key", "value", "is_rate"),
    [
        *[(A100, "50", True), (A100, "50.01", False), (A100, "0.125", True), (A100, "0.1249", False)],
        *[(NEW, "0.05", True), (NEW, "0.049", False), (NEW, "100", True), (NEW, "100.01", False)],
        *[(A100, Decimal(0), False), (CPU, Decimal(0), True), (CPU, Decimal("-0"), True)],
        *[(CPU, Decimal("0.0473" + "0" * 25), True), (CPU, Decimal("0.0473" + "0" * 26), False)],
        *[(CPU, "0." + "0" * 18, True), (CPU, "0." + "0" * 19, False)],
    ],
)
def test_the_least_and_the_most_of_a_rate(key: str, value: object, is_rate: bool) -> None:
    try:
        assert Rates({key: value}, "live").of(key) == Decimal(str(value)) and is_rate
    except RateRefused:
        assert not is_rate


@pytest.mark.parametrize(
    ("value", "source", "text"),
    [
        ("n/a", "live", f"{A100} in Modal's live rates is 'n/a', wanted dollars an hour"),
        (None, "the list", f"{A100} in the list is None, wanted dollars an hour"),
        (Decimal("-1.5"), "live", f"{A100} in Modal's live rates is -1.5, wanted dollars an hour"),
        ("x" * 38, "live", f"{A100} in Modal's live rates is '{'x' * 38}', wanted dollars an hour"),
        ("x" * 39, "live", f"{A100} in Modal's live rates is '{'x' * 38}…, wanted dollars an hour"),
        (2**64, "live", f"{A100} in Modal's live rates is a number of more than 19 digits, wanted dollars an hour"),
        (
            2**64 - 1,
            "live",
            f"{A100} in Modal's live rates is {2**64 - 1}, wanted dollars an hour",
        ),
        (
            "0.0007",
            "live",
            f"{A100} in Modal's live rates is '0.0007'; dollars an hour would be 0.125 to 50.00, so it may be in"
            " another unit",
        ),
    ],
)
def test_a_refused_rate_is_named_with_what_was_wanted(value: object, source: str, text: str) -> None:
    with pytest.raises(RateRefused) as e:
        Rates({A100: value}, source).of(A100)
    assert str(e.value) == text
