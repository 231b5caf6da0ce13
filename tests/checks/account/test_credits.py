"""MOD003: the budget left covers the planned run."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from checks.account.credits import CHECK
from preflight.app import reader
from preflight.app.lookups import PLANNED_FUNCTION, RECIPE, function_named
from preflight.cost.rates import CURRENT_RATES, Rates, listed
from preflight.lookups import Lookup, LookupFailed
from preflight.model import Result, Severity, Status
from preflight.problems import Kind, Problem
from preflight.remote.lookups import ENVIRONMENT, RATES, SPEND
from preflight.remote.modal_types import Environment, Spend
from preflight.settings import BudgetSettings, Settings
from preflight.testing import run_check

MAIN = Environment(
    name="main",
    is_default=True,
    builder=None,
    budget_usd=Decimal(200),
    spend_limit_usd=None,
    spent_usd=Decimal("31.50"),
    is_spend_limit_reached=False,
)
SPENT = Spend(metered_usd=Decimal("31.50"))
APP = (
    "import modal\napp = modal.App('x')\nvol = modal.Volume.from_name('v')\n"
    "@app.function(gpu='A100-80GB', cpu=24, memory=98304, timeout=86400, volumes={'/v': vol}RETRIES)\n"
    "def train(resume=True):\n    save_checkpoint(resume)\n"
)


def asked(
    folder: Path,
    *,
    hours: str | None = "20",
    environment: Environment | LookupFailed = MAIN,
    rates: Rates | LookupFailed | None = None,
    retries: str = "",
    app: str = APP,
    **budget: Any,
) -> Result:
    (folder / "app.py").write_text(app.replace("RETRIES", retries), encoding="utf-8")
    recipe = reader.read(folder / "app.py", project=folder)
    live = Rates(listed().rows, "live")
    given: dict[Lookup[Any], Any] = {
        ENVIRONMENT: environment,
        SPEND: SPENT,
        RECIPE: recipe,
        RATES: dict(listed().rows),
        PLANNED_FUNCTION: function_named(recipe, None),
        CURRENT_RATES: live if rates is None else rates,
    }
    plan = BudgetSettings(hours=None if hours is None else Decimal(hours), **budget)
    return run_check(CHECK, given, settings=Settings(project=folder, app="app.py", budget=plan))


def test_enough_is_a_pass_that_says_both_amounts(tmp_path: Path) -> None:
    result = asked(tmp_path)
    assert result.status is Status.PASS
    assert "$168.50 left of the $200.00 budget" in result.reason
    assert "the run needs about $88.06 (20 h of A100-80GB at $4.40/h)" in result.reason


def test_too_little_fails_and_says_by_how_much(tmp_path: Path) -> None:
    result = asked(tmp_path, environment=replace(MAIN, budget_usd=Decimal(100)))
    assert result.status is Status.FAIL
    assert result.findings[0].remedy == "raise the budget by $19.56, or plan fewer hours"


@pytest.mark.parametrize(("budget", "status"), [("119.56", Status.PASS), ("119.55", Status.FAIL)])
def test_a_cent_decides(tmp_path: Path, budget: str, status: Status) -> None:
    assert asked(tmp_path, environment=replace(MAIN, budget_usd=Decimal(budget))).status is status


def test_the_least_of_budget_spend_limit_and_what_is_allowed_counts(tmp_path: Path) -> None:
    both = replace(MAIN, spend_limit_usd=Decimal(100))
    assert "the $100.00 spend limit" in asked(tmp_path, environment=both).reason
    assert "the $50.00 you allow" in asked(tmp_path, environment=both, usd=Decimal(50)).reason


def test_a_reached_spend_limit_fails_whatever_is_left(tmp_path: Path) -> None:
    result = asked(tmp_path, environment=replace(MAIN, is_spend_limit_reached=True))
    assert result.status is Status.FAIL
    assert "has reached its spend limit" in result.findings[0].message


def test_no_budget_is_a_warning_and_no_balance_is_invented(tmp_path: Path) -> None:
    result = asked(tmp_path, environment=replace(MAIN, budget_usd=None))
    assert result.status is Status.WARN
    assert result.answer is not None and result.answer.seen["left_usd"] is None
    assert "Modal does not publish how much credit is left" in result.findings[0].why


def test_the_start_ups_of_every_session_are_part_of_what_is_needed(tmp_path: Path) -> None:
    result = asked(tmp_path, hours="60", retries=", retries=2", environment=replace(MAIN, budget_usd=Decimal(1000)))
    assert result.status is Status.PASS
    assert result.answer is not None
    assert result.answer.seen["needed_usd"] == 264.63  # 60.1 h: three sessions, the first start-up is in the 60
    assert result.answer.seen["finishes"] == "yes"


def test_what_will_not_finish_fails_and_what_may_not_is_advice(tmp_path: Path) -> None:
    rich = replace(MAIN, budget_usd=Decimal(1000))
    result = asked(tmp_path, hours="30", environment=rich)
    assert result.status is Status.FAIL
    assert "does not fit in the 24 h limit of train" in result.findings[0].message
    close = asked(tmp_path, hours="25", environment=rich)
    assert (close.status, [f.severity for f in close.findings]) == (Status.PASS, [Severity.INFO])


def test_a_budget_short_of_the_upper_bound_alone_is_advice(tmp_path: Path) -> None:
    result = asked(tmp_path, environment=replace(MAIN, budget_usd=Decimal(130)))
    assert result.status is Status.PASS
    assert "$105.68" in result.findings[0].message


def test_a_budget_above_the_upper_bound_has_nothing_to_say(tmp_path: Path) -> None:
    assert asked(tmp_path).findings == ()


def test_rates_from_the_list_are_a_warning_that_names_its_date(tmp_path: Path) -> None:
    result = asked(tmp_path, rates=listed())
    assert result.status is Status.WARN
    assert "the built-in list of 2026-09-30" in result.findings[0].message


def test_a_refused_rate_leaves_the_price_unknown_and_names_the_rate(tmp_path: Path) -> None:
    result = asked(tmp_path, rates=Rates({**listed().rows, "gpu_hour_cost_a100_80gb": Decimal(-1)}, "live"))
    assert result.status is Status.UNKNOWN
    assert "gpu_hour_cost_a100_80gb" in result.findings[0].message
    assert result.findings[0].remedy == "modal billing rates"
    assert result.answer is not None and result.answer.seen["needed_usd"] is None


def test_without_a_length_the_time_limit_is_compared(tmp_path: Path) -> None:
    covered = asked(tmp_path, hours=None)
    assert (covered.status, covered.findings) == (Status.PASS, ())
    assert "at most $105.68 by its time limit: how long it will take is not set" in covered.reason
    short = asked(tmp_path, hours=None, environment=replace(MAIN, budget_usd=Decimal(100)))
    assert short.status is Status.UNKNOWN
    assert "set hours in [tool.preflight.budget]" in short.findings[0].remedy
    assert asked(tmp_path, hours=None, environment=replace(MAIN, budget_usd=None)).status is Status.WARN


def test_whether_it_finishes_that_is_not_known_is_no_pass(tmp_path: Path) -> None:
    app = APP.replace("timeout=86400", "timeout=int(open('t').read())")
    result = asked(tmp_path, hours="20", app=app)
    assert result.status is Status.UNKNOWN
    assert "the timeout is not in the text" in result.reason


def test_a_budget_that_may_not_be_read_is_a_warning_and_a_budget_of_ones_own_counts(tmp_path: Path) -> None:
    result = asked(tmp_path, environment=denied(Kind.FORBIDDEN))
    assert result.status is Status.WARN
    assert "the budget can't be read (may not list)" in result.findings[0].message
    assert asked(tmp_path, environment=denied(Kind.FORBIDDEN), usd=Decimal(200)).status is Status.PASS
    assert asked(tmp_path, environment=denied(Kind.FORBIDDEN), usd=Decimal(20)).status is Status.FAIL
    assert asked(tmp_path, environment=denied(Kind.UNREACHABLE), usd=Decimal(200)).status is Status.BLOCKED


def test_amounts_that_are_none_are_no_budget_and_no_pass(tmp_path: Path) -> None:
    result = asked(tmp_path, environment=replace(MAIN, budget_usd=None, unclear="cycle_budget_dollars is nan"))
    assert result.status is Status.UNKNOWN
    assert "cycle_budget_dollars is nan" in result.reason


def denied(kind: Kind) -> LookupFailed:
    failed = LookupFailed(ENVIRONMENT, "may not list")
    failed.__cause__ = Problem(kind, service="Modal", operation="list the environments", message="may not list")
    return failed
