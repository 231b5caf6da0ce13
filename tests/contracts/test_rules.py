"""What holds for every check: its page, its name, its id.

ids.toml holds the ids of the rules that were released, pages.txt the page of every check.  ``UPDATE=1 pytest
tests/contracts`` adds new rules to ids and pages: a step of a release.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from preflight.cli.explain import explain_command
from preflight.engine import builtin
from preflight.engine.select import in_order
from preflight.model import Check
from preflight.wording import title_of
from tests.rules.examples import BANNED, is_updating, rules

HERE = Path(__file__).parent
IDS = HERE / "ids.toml"
PAGES = HERE / "pages.txt"
RELEASED = tomllib.loads(IDS.read_text("utf-8"))
SECTIONS = ["Looks at", "Why it matters", "Example", "How to fix", "Source"]
CHECKS = {c.name: c for c in in_order(builtin.checks())}


def sections(page: str) -> dict[str, str]:
    """The page's parts below its headline, by their names, in order."""
    parts = re.split(r"^(\S.*)$", page.partition("\n")[2], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_released_rules_are_there_under_their_ids() -> None:
    now = {c.id: c.name for c in rules().values()}
    if is_updating():
        rows = "".join(f'{key} = "{name}"\n' for key, name in sorted(now.items()))
        IDS.write_text(IDS.read_text("utf-8").partition("\n\n")[0] + "\n\n" + rows, "utf-8")
    else:
        assert {key: now.get(key) for key in RELEASED} == RELEASED


def test_a_new_rule_has_a_number_above_the_last_of_its_family() -> None:
    last: dict[str, int] = {}
    for key in RELEASED:
        last[key[:3]] = max(last.get(key[:3], 0), int(key[3:]))
    new = [c.id for c in rules().values() if c.id not in RELEASED]
    assert [key for key in new if int(key[3:]) <= last.get(key[:3], 0)] == [], f"the last ones are {last}"


def test_ids_and_names_are_unique() -> None:
    for values in ([c.id for c in builtin.checks()], [c.name for c in builtin.checks()]):
        assert [v for v, n in Counter(values).items() if n > 1] == []


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda c: c.name)
def test_every_page_has_one_form(check: Check) -> None:
    found = sections(check.doc)
    wanted = SECTIONS if check.name in rules() else [s for s in SECTIONS if s in found or s != "Example"]
    assert list(found) == wanted
    assert all(len(text.strip()) >= 5 for text in found.values())
    if "Example" in found:
        assert re.search(r"^    before   \S", found["Example"], re.M) and re.search(
            r"^    after    \S", found["Example"], re.M
        )
    headline = check.doc.splitlines()[0]
    assert headline.endswith(".") and title_of(check.doc) == check.title
    assert not BANNED.search(check.doc), BANNED.search(check.doc)


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda c: c.name)
def test_a_title_is_a_statement_in_plain_words(check: Check) -> None:
    assert re.fullmatch(r"[A-Z]{3}\d{3}", check.id)
    assert not check.title.endswith(".") and not BANNED.search(check.title)


def test_explain_prints_every_page_as_it_was() -> None:
    now = {name: CliRunner(env={"COLUMNS": "100"}).invoke(explain_command, [name]).output for name in CHECKS}
    if is_updating():
        PAGES.write_text("".join(f"=== {name}\n{page}" for name, page in now.items()), "utf-8")
    kept = dict(part.split("\n", 1) for part in PAGES.read_text("utf-8").split("=== ")[1:])
    assert {name: now.get(name) for name in kept} == kept, "if it is meant: UPDATE=1 pytest tests/contracts"


def test_explain_finds_a_page_by_id_too() -> None:
    by_name, by_id = (CliRunner().invoke(explain_command, [key]).output for key in ("res-no-gpu", "RES590"))
    assert by_name == by_id and by_id.startswith("RES590  res-no-gpu")
