"""MOD003 and MOD001: every word, figure and remedy of a result, for answers that end in different ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from preflight.cost.rates import listed
from preflight.lookups import LookupFailed
from preflight.model import Result
from preflight.problems import Kind
from preflight.remote.lookups import HERE, TOKEN, WORKSPACE, NoSuchEnvironment
from preflight.testing import NOON
from tests.checks.account.test_account import ALICE, auth_of, cannot
from tests.checks.account.test_credits import APP, MAIN, asked, denied
from tests.kept import assert_kept

RICH, FREE, SHORT = replace(MAIN, budget_usd=Decimal(1000)), replace(MAIN, budget_usd=None), Decimal("50.25")
PLANS: dict[str, dict[str, Any]] = {
    "enough": {},
    "too little": {"environment": replace(MAIN, budget_usd=Decimal(100))},
    "too little for the time limit": {"environment": replace(MAIN, budget_usd=Decimal(130))},
    "enough for the time limit to the cent": {"environment": replace(MAIN, budget_usd=Decimal("137.18"))},
    "the limit is reached": {"environment": replace(MAIN, is_spend_limit_reached=True)},
    "no budget": {"environment": FREE},
    "no budget and no length": {"environment": FREE, "hours": None},
    "what is allowed": {"environment": FREE, "usd": SHORT},
    "no length": {"hours": None},
    "no length, and the time limit to the cent": {
        "hours": None,
        "environment": replace(MAIN, budget_usd=Decimal("137.18")),
    },
    "no length, and less than the time limit": {"hours": None, "environment": replace(MAIN, budget_usd=Decimal(100))},
    "no sense": {"environment": replace(MAIN, unclear="cycle_budget_dollars is nan")},
    "it does not finish": {"hours": "30", "environment": RICH},
    "it may not finish": {"hours": "25", "environment": RICH},
    "three sessions": {"hours": "60", "retries": ", retries=2", "environment": RICH},
    "an open timeout": {"app": APP.replace("86400", "int(open('t').read())")},
    "an open GPU": {"app": APP.replace("'A100-80GB'", "open('g').read()")},
    "the list's rates": {"rates": listed()},
    "may not list": {"environment": denied(Kind.FORBIDDEN)},
    "can not list": {"environment": denied(Kind.UNSUPPORTED), "usd": SHORT},
    "nobody there": {"environment": denied(Kind.UNREACHABLE)},
}


def told(result: Result) -> dict[str, Any]:
    return {
        "status": result.status.value,
        "reason": result.reason,
        "findings": [
            {
                "severity": f.severity.value,
                "message": f.message,
                "why": f.why,
                "remedy": f.remedy,
                "can clear": f.can_clear,
            }
            for f in result.findings
        ],
        "seen": dict(result.answer.seen) if result.answer else None,
    }


def test_every_word_of_credits_is_as_it_was_read_and_kept(tmp_path: Path) -> None:
    assert_kept("credits", {name: told(asked(tmp_path, **plan)) for name, plan in PLANS.items()})


def no_such(wanted: str, *there: str) -> LookupFailed:
    missing = LookupFailed(HERE, "its own words")
    missing.__cause__ = NoSuchEnvironment(wanted, there)
    return missing


def test_every_word_of_a_sign_in_is_as_it_was_read_and_kept() -> None:
    far = cannot(WORKSPACE, Kind.UNREACHABLE, "no route to api.example")
    results = {
        "a token": auth_of(),
        "a token without an owner": auth_of(token=replace(ALICE, owner=None)),
        "a token that does not end": auth_of(token=replace(ALICE, expires=None)),
        "a token that ends in 71 h": auth_of(token=replace(ALICE, expires=NOON + timedelta(hours=71, minutes=59))),
        "a token that ends in three days": auth_of(token=replace(ALICE, expires=NOON + timedelta(days=3))),
        "a token that has ended": auth_of(token=replace(ALICE, expires=NOON - timedelta(hours=2))),
        "a token that is not listed": auth_of(token=None),
        "a token that may not be listed": auth_of(token=cannot(TOKEN, Kind.FORBIDDEN, "may not list")),
        "another environment": auth_of(here=no_such("de", "main", "dev"), environment="de"),
        "an unlike environment": auth_of(here=no_such("xyz", "main", "dev"), environment="xyz"),
        "no environment": auth_of(here=no_such("xyz"), environment="xyz"),
        "no environment, and none is named": auth_of(here=no_such("main")),
        "an environment that is refused": auth_of(here=cannot(HERE, Kind.FORBIDDEN), environment="dev"),
        "the usual environment is refused": auth_of(here=cannot(HERE, Kind.FORBIDDEN)),
        "an environment that can not be asked": auth_of(here=cannot(HERE, Kind.UNREACHABLE)),
        "nobody there": auth_of(workspace=cannot(WORKSPACE, Kind.UNREACHABLE)),
        "nobody there, by its name": auth_of(workspace=far),
        **{k.value: auth_of(workspace=cannot(WORKSPACE, k)) for k in (Kind.NOT_SIGNED_IN, Kind.REFUSED)},
        **{k.value: auth_of(workspace=cannot(WORKSPACE, k)) for k in (Kind.FORBIDDEN, Kind.CLIENT_TOO_OLD)},
    }
    assert_kept("modal-auth", {name: told(result) for name, result in results.items()})


@pytest.mark.parametrize(("left", "status"), [(timedelta(days=3), "pass"), (timedelta(days=3, seconds=-1), "warn")])
def test_three_days_are_enough_and_a_second_less_is_not(left: timedelta, status: str) -> None:
    assert auth_of(token=replace(ALICE, expires=NOON + left)).status.value == status
