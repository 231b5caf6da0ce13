"""Each file below tests/data/rules/app/<rule>/ is a test: bad_*.py names the lines where the rule must speak,
good_*.py holds what it must leave alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from preflight.app.lookups import BUILDER, RECIPE
from preflight.lookups import Lookups, World
from preflight.model import Answer, NotApplicable, Unknown
from preflight.settings import Settings
from preflight.testing import NOON

from .rule_files import DATA, expected, findings, read, rules

FILES = sorted(DATA.glob("*/*.py"))
BAD = [f for f in FILES if f.name.startswith("bad")]
GOOD = [f for f in FILES if f.name.startswith("good")]


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


@pytest.mark.parametrize("file", BAD, ids=_name)
def test_rule_speaks_on_the_marked_lines_and_no_other(file: Path) -> None:
    found = findings(rules()[file.parent.name], read(file), project=file.parent)
    assert expected(file), f"{file} marks no line with # expect: {file.parent.name}"
    assert sorted({f.where.line for f in found if f.where}) == expected(file), [f.message for f in found]


@pytest.mark.parametrize("file", GOOD, ids=_name)
def test_rule_is_silent_on_what_only_looks_alike(file: Path) -> None:
    found = findings(rules()[file.parent.name], read(file), project=file.parent)
    assert not found, [(f.message, str(f.where)) for f in found]


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_no_rule_breaks_on_any_file(file: Path) -> None:
    recipe = read(file)
    world = World(now=NOON, settings=Settings(project=file.parent, app=file.name))

    async def every() -> list[Answer | NotApplicable]:
        async with Lookups(world, {RECIPE: recipe}) as lookups:
            looked = await lookups.see("all", (RECIPE,), (BUILDER,))
            return [await check.run(looked) for check in rules().values()]

    answers = asyncio.run(every())
    assert all(isinstance(a, Answer | NotApplicable | Unknown) for a in answers)
