"""The edge that everything passes on its way out: every text in it is cleaned, and nothing else is changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from preflight.changes import Change, Changed
from preflight.events import Priced, Progress
from preflight.model import Answer, Edit, Finding, Fix, Price, Result, Severity, Status, Where
from preflight.redact import MASK, Redactor
from preflight.report.redacted import cleaned
from tests.report.reports import APP, AUTH, EVERY, SMOKE, of

SECRET = "hunter22-and-more"
clean = Redactor([SECRET]).text
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Kept:
    what: object


def test_every_text_of_a_report_is_cleaned_and_the_rest_is_as_it_was() -> None:
    def made(secret: str) -> object:
        finding = Finding(
            severity=Severity.ERROR,
            message=f"m {secret}",
            remedy=f"r {secret}",
            why=f"w {secret}",
            where=Where(f"{secret}.py", 3, 4),
            evidence=(f"a {secret}", f"{secret} b"),
            fix=Fix(edits=(Edit(APP, 1, 2, f"t {secret}"),), is_safe=True),
        )
        answer = Answer(
            summary=f"s {secret}",
            seen={f"k {secret}": [secret, (1, secret), {"n": None, "f": 1.5}], "when": NOW},
            findings=(finding,),
            spent_usd=Decimal("0.25"),
        )
        result = Result(check=AUTH, status=Status.FAIL, seconds=0.5, reason=f"x {secret}", answer=answer)
        changed = Changed(since=NOW, changes=(Change(group="pins", name="a", before=secret, after=None),), note=secret)
        whole = of(result)
        return replace(whole, target=replace(whole.target, app=f"{secret}.py", apps=(secret,)), changed=changed)

    assert cleaned(made(SECRET), clean) == made(MASK)


def test_what_holds_no_secret_is_as_it_was() -> None:
    assert cleaned(EVERY, clean) == EVERY


def test_events_are_cleaned_and_checks_stay_the_very_same() -> None:
    named = replace(SMOKE, title=f"{SECRET} is ours")
    assert cleaned(Progress("lookup", f"asks {SECRET}"), clean) == Progress("lookup", f"asks {MASK}")
    priced = cleaned(Priced(named, Price(Decimal("0.1"), SECRET)), clean)
    assert priced.check is named and priced.price == Price(Decimal("0.1"), MASK)


@pytest.mark.parametrize("value", [None, True, 3, 1.5, Decimal(1), NOW, Status.PASS, Kept, Severity.ERROR])
def test_what_is_no_text_stays(value: object) -> None:
    assert cleaned(value, clean) is value and cleaned(Kept(value), clean) == Kept(value)


def test_a_container_keeps_its_kind() -> None:
    assert cleaned([SECRET, {"a": (SECRET,)}], clean) == [MASK, {"a": (MASK,)}]
    assert cleaned((), clean) == () and cleaned([], clean) == []


def test_a_secret_over_the_end_of_a_line_of_evidence_goes_and_lines_stay_as_many() -> None:
    finding = Finding(severity=Severity.INFO, message="m", remedy="", evidence=("x hunter22-", "and-more y", "z"))
    assert cleaned(finding, clean).evidence == (f"x {MASK}", " y", "z")


def test_a_cleaner_that_joins_lines_costs_no_line() -> None:
    finding = Finding(severity=Severity.INFO, message="m", remedy="", evidence=("a", "b"))
    assert cleaned(finding, lambda text: text.replace("\n", " ")).evidence == ("a", "b")
