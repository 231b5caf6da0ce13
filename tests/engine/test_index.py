"""The index reads the checks' files; here it is held against the checks as they are when imported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable

import pytest

from preflight.engine import builtin, index
from preflight.engine.index import Listed
from preflight.engine.select import UnknownCheck
from preflight.model import Stage

FRESH = """
import json, sys
from preflight.engine import builtin, index
from preflight.model import Stage

def imported():
    return [name for name in sys.modules if name.startswith("checks")]

index.everything(), index.found("IMG430")
listing = imported()
builtin.checks([Stage.STATIC])
static = imported()
print(json.dumps([listing, static, sorted(c.name for c in builtin.checks())]))
"""


@pytest.fixture(scope="module")
def fresh() -> list[list[str]]:
    """The checks' modules that a fresh Python without docstrings imports to list them, and for the static ones; and the
    names of all.
    """
    done = subprocess.run([sys.executable, "-OO", "-c", FRESH], capture_output=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_what_the_files_say_is_what_importing_them_gives() -> None:
    def told(listed: Iterable[Listed]) -> list[tuple[object, ...]]:
        return [(e.id, e.name, e.title, e.stage, e.step, e.has_own_line, e.doc) for e in listed]

    assert told(index.listed()) == told(Listed.of(c) for c in builtin.checks())


def test_neither_listing_nor_a_page_imports_a_check(fresh: list[list[str]]) -> None:
    assert fresh[0] == []


def test_static_checks_are_imported_without_those_that_ask_modal(fresh: list[list[str]]) -> None:
    static = fresh[1]
    assert "checks.image.isolation" in static
    assert not [name for name in static if name.startswith("checks.account.")]
    assert {e.stage for e in index.listed() if e.module in static} == {Stage.STATIC}


def test_a_name_that_no_check_has_is_refused_with_what_is_near() -> None:
    with pytest.raises(UnknownCheck, match="ver-torch-unpinned"):
        index.found("ver-torch-unpined")


def test_the_checklist_comes_in_its_order_and_the_rules_before_what_costs_money() -> None:
    listed = [e for e in index.everything() if e.module]
    steps = [e.step for e in listed if e.step is not None]
    assert steps == sorted(steps)
    names = [e.name for e in listed]
    own_line, rule, smoke = (names.index(n) for n in ("whl-ext-outcome", "ver-torch-unpinned", "smoke-test"))
    assert names.index("project-lint") < own_line < rule < smoke
    assert [e.stage for e in listed[:3]] == [Stage.REMOTE] * 3


def test_a_python_that_takes_docstrings_away_asks_the_same_checks(fresh: list[list[str]]) -> None:
    assert fresh[2] == sorted(c.name for c in builtin.checks())
