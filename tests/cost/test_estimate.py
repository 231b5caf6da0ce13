"""Dollars by hand: request or limit, to the cent, at the most expensive GPU; and what is left of which limit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from preflight.cost.document import decided, document
from preflight.cost.estimate import Resources, cents, decimal, estimate
from preflight.cost.keeping import Keeping, Resumes
from preflight.cost.plan import Finishes, Outlook
from preflight.cost.rates import CPU, MEMORY, RateRefused, Rates, gpu_key
from preflight.cost.reckoning import Allowance, Reckoning, allowance
from preflight.lookups import LookupFailed
from preflight.model import Exit
from preflight.remote.lookups import ENVIRONMENT, SPEND
from preflight.remote.modal_types import Environment, Spend

RATES = Rates(
    {CPU: "0.1", MEMORY: "0.02", "gpu_hour_cost_h100": "4", "gpu_hour_cost_a100_40gb": "2", "gpu_hour_cost_t4": "0.6"},
    "live",
)
TRAIN = Resources(function="train", gpus=(("H100", 1),), cores=Decimal(2), memory_mib=Decimal(2048))


def test_an_hour_is_gpu_cores_and_memory() -> None:
    found = estimate(TRAIN, RATES, Decimal(10))
    assert (found.usd_per_hour, found.usd, found.gpu) == (Decimal("4.24"), Decimal("42.40"), "H100")
    assert found.rates == {CPU: Decimal("0.1"), MEMORY: Decimal("0.02"), "gpu_hour_cost_h100": Decimal(4)}
    assert (found.rates_source, found.function, found.hours, found.assumptions) == ("live", "train", 10, ())
    assert found.exact_usd_per_hour == Fraction(424, 100)


def test_the_upper_bound_is_the_timeout_of_every_attempt_at_the_limits_of_use() -> None:
    wide = replace(TRAIN, most_cores=Decimal(4), most_memory_mib=Decimal(4096), timeout_s=Decimal(7200), attempts=3)
    assert estimate(wide, RATES, Decimal(1)).upper_bound_usd == Decimal("26.88")  # 6 h of 4 + 0.4 + 0.08
    low = replace(wide, most_cores=Decimal(1), most_memory_mib=Decimal(1))
    assert estimate(low, RATES, Decimal(1)).upper_bound_usd == Decimal("25.44")  # a limit below the request is none


def test_of_several_gpus_the_most_expensive_counts_with_their_number() -> None:
    found = estimate(replace(TRAIN, gpus=(("A100", 3), ("H100", 1), ("T4", 1))), RATES, Decimal(1))
    assert (found.gpu, found.usd) == ("A100:3", Decimal("6.24"))
    assert found.assumptions == ("the most expensive of 3 GPU types, A100:3, is taken",)
    assert estimate(replace(TRAIN, gpus=(("H100", 1), ("A100", 2))), RATES, Decimal(1)).gpu == "H100"  # both are $4


def test_without_a_gpu_nothing_of_it_is_asked_and_a_cluster_counts_every_container() -> None:
    bare = estimate(replace(TRAIN, gpus=()), Rates({CPU: "0.5", MEMORY: 0}, "live"), Decimal(1))
    assert (bare.gpu, bare.usd) == (None, Decimal("1.00"))
    assert estimate(replace(TRAIN, containers=4), RATES, Decimal(1)).usd == Decimal("16.96")


@pytest.mark.parametrize(
    ("usd", "shown"),
    [("0", "0.00"), ("0.004", "0.00"), ("0.005", "0.01"), ("0.0049", "0.00"), ("1.995", "2.00"), ("12.344", "12.34")],
)
def test_cents_are_rounded_half_up(usd: str, shown: str) -> None:
    assert str(cents(Fraction(usd))) == shown


def test_a_fraction_is_shown_with_its_digits() -> None:
    assert (decimal(Fraction(1, 4)), str(decimal(Fraction(1, 3)))[:6]) == (Decimal("0.25"), "0.3333")


@pytest.mark.parametrize(
    "more",
    [
        {"cores": Decimal(-1)},
        {"memory_mib": Decimal(-1)},
        {"timeout_s": Decimal(-1)},
        {"most_cores": Decimal(-1)},
        {"attempts": 0},
        {"containers": 0},
        {"gpus": (("H100", 0),)},
    ],
    ids=str,
)
def test_what_can_be_no_request_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="train"):
        replace(TRAIN, **more)  # type: ignore[arg-type]


def test_hours_below_none_and_a_missing_rate_are_refused() -> None:
    assert estimate(TRAIN, RATES, Decimal(0)).usd == 0
    with pytest.raises(ValueError, match="-1 hours"):
        estimate(TRAIN, RATES, Decimal(-1))
    with pytest.raises(RateRefused, match="gpu_hour_cost_b200"):
        estimate(replace(TRAIN, gpus=(("B200", 1),)), RATES, Decimal(1))
    assert gpu_key("H100!") == "gpu_hour_cost_h100"


# --- what is left --------------------------------------------------------------------------------------------------

HERE = Environment(
    name="main",
    is_default=True,
    builder=None,
    budget_usd=Decimal(100),
    spend_limit_usd=Decimal(80),
    spent_usd=Decimal(30),
    is_spend_limit_reached=False,
)
SPENT = Spend(metered_usd=Decimal(35))


@pytest.mark.parametrize(
    ("here", "allowed", "left", "of"),
    [
        (HERE, None, 50, "the $80.00 spend limit of the workspace"),
        (replace(HERE, workspace_spent_usd=Decimal(60)), None, 20, "the $80.00 spend limit of the workspace"),
        (replace(HERE, spend_limit_usd=Decimal(100), workspace_spent_usd=Decimal(60)), None, 70, "the $100.00 budget"),
        (
            replace(HERE, budget_usd=None, workspace_spent_usd=Decimal(60)),
            None,
            20,
            "the $80.00 spend limit of the workspace",
        ),
        (replace(HERE, spend_limit_usd=None), None, 70, "the $100.00 budget"),
        (replace(HERE, spend_limit_usd=None), Decimal(20), 20, "the $20.00 you allow"),
        (replace(HERE, budget_usd=None, spend_limit_usd=None), None, None, ""),
        (replace(HERE, spent_usd=Decimal(95)), None, -15, "the $80.00 spend limit of the workspace"),
    ],
)
def test_the_least_limit_decides(here: Environment, allowed: Decimal | None, left: int | None, of: str) -> None:
    found = allowance(here, SPENT, allowed)
    assert (found.left_usd, found.of, found.environment, found.unknown) == (left, of, "main", "")


def test_what_is_spent_is_the_greater_of_the_two_that_modal_tells() -> None:
    assert allowance(HERE, SPENT, None).spent_usd == 35
    assert allowance(replace(HERE, spent_usd=Decimal(40)), SPENT, None).spent_usd == 40
    assert allowance(HERE, LookupFailed(SPEND, "refused"), None).spent_usd == 30


def test_an_environment_that_can_not_be_asked_is_unknown_and_what_the_user_allows_still_counts() -> None:
    refused = LookupFailed(ENVIRONMENT, "refused")
    found = allowance(refused, SPENT, Decimal(5))
    assert (found.left_usd, found.of, found.unknown, found.is_unclear) == (5, "the $5.00 you allow", "refused", False)
    assert allowance(refused, SPENT, None).left_usd is None
    unclear = allowance(replace(HERE, unclear="current_cycle_usage is nan"), SPENT, Decimal(5))
    assert (unclear.left_usd, unclear.is_unclear) == (5, True)
    assert "environment main" in unclear.unknown and "current_cycle_usage is nan" in unclear.unknown
    assert allowance(replace(HERE, is_spend_limit_reached=True), SPENT, None).is_limit_reached


# --- how it ends ---------------------------------------------------------------------------------------------------

YES = Outlook(
    finishes=Finishes.YES,
    why="fits",
    limit_hours=Fraction(24),
    attempts=1,
    sessions=1,
    hours=Fraction(10),
    usd=Decimal("43.00"),
    lost_hours=None,
    keeping=Keeping(Resumes.UNKNOWN, "not looked at"),
)
FITS = Reckoning(function="train", price=estimate(TRAIN, RATES, Decimal(10)), outlook=YES)


def left(usd: str, **more: object) -> Allowance:
    return Allowance(left_usd=Decimal(usd), of="the budget", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (FITS, Exit.READY),
        (replace(FITS, allowance=left("43.00")), Exit.READY),
        (replace(FITS, allowance=left("42.99")), Exit.FINDINGS),
        (replace(FITS, allowance=left("99", is_limit_reached=True)), Exit.FINDINGS),
        (replace(FITS, allowance=left("99", is_unclear=True)), Exit.INCOMPLETE),
        (replace(FITS, outlook=replace(YES, finishes=Finishes.NO)), Exit.FINDINGS),
        (replace(FITS, outlook=replace(YES, finishes=Finishes.UNKNOWN)), Exit.INCOMPLETE),
        (replace(FITS, outlook=replace(YES, finishes=Finishes.TOO_CLOSE)), Exit.READY),
        (Reckoning(refused="no rate"), Exit.INCOMPLETE),
        (Reckoning(refused="no rate", allowance=Allowance(is_limit_reached=True)), Exit.FINDINGS),
    ],
)
def test_the_exit_code_is_the_contracts(given: Reckoning, code: Exit) -> None:
    assert decided(given)[0] is code
    assert document(given, app="app.py")["exit"] == int(code)


def test_what_is_needed_is_the_plan_with_every_start_up_and_never_less_than_its_price() -> None:
    assert FITS.needed_usd == Decimal("43.00")
    assert replace(FITS, outlook=replace(YES, usd=Decimal(1))).needed_usd == Decimal("42.40")
    assert replace(FITS, outlook=replace(YES, usd=None)).needed_usd == Decimal("42.40")
    assert Reckoning().needed_usd is None and Reckoning().over_usd == 0
    assert replace(FITS, allowance=left("40.5")).over_usd == Decimal("2.50")
