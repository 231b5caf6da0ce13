from __future__ import annotations

from decimal import Decimal

import pytest

from preflight.engine.select import UnknownCheck, find, in_order, select
from preflight.lookups import Looked
from preflight.model import Answer, Check, Price, Stage


async def _never(looked: Looked) -> Answer:
    raise AssertionError("it is never run")


async def _free(looked: Looked) -> Price:
    return Price(Decimal(0), "nothing")


def check(id: str, name: str, stage: Stage = Stage.STATIC, step: int | None = None, own: bool = False) -> Check:
    price = _free if stage is Stage.PAID else None
    return Check(id=id, name=name, title="t", stage=stage, run=_never, step=step, has_own_line=own, price=price)


RULE, OTHER = check("IMG001", "a-rule"), check("IMG002", "b-rule")
OWN = check("RES900", "own-line", own=True)
VOLUME = check("STO009", "volume", Stage.REMOTE)
LINT, AUTH = check("PRJ001", "project-lint", step=6), check("MOD001", "modal-auth", Stage.REMOTE, step=2)
SMOKE = check("PRJ002", "smoke-test", Stage.PAID, step=7)
ALL = (SMOKE, OTHER, VOLUME, LINT, RULE, OWN, AUTH)


def names(checks: tuple[Check, ...]) -> list[str]:
    return [c.name for c in checks]


def test_numbered_steps_come_in_order_and_rules_last_of_what_is_free() -> None:
    wanted = ["modal-auth", "project-lint", "own-line", "volume", "a-rule", "b-rule", "smoke-test"]
    assert names(in_order(ALL)) == wanted


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("IMG001", ["a-rule"]),
        ("img001", ["a-rule"]),
        ("A-Rule", ["a-rule"]),
        (" volume ", ["volume"]),
        ("IMG", ["b-rule", "a-rule"]),
        ("img", ["b-rule", "a-rule"]),
    ],
)
def test_an_id_a_name_or_a_family_is_found(wanted: str, found: list[str]) -> None:
    assert names(find(ALL, wanted)) == found


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("", "empty name"),
        ("a-rul", "did you mean a-rule"),
        ("zzzz", "`preflight list`"),
        ("IMG0", "no check is called"),
    ],
)
def test_a_name_that_no_check_has_is_refused_with_what_there_is(wanted: str, words: str) -> None:
    with pytest.raises(UnknownCheck, match=words):
        find(ALL, wanted)


def test_a_stage_leaves_out_what_comes_after_it_and_says_so() -> None:
    chosen = select(ALL, stage=Stage.REMOTE)
    assert "smoke-test" not in names(chosen.chosen) and "volume" in names(chosen.chosen)
    assert [(c.name, why) for c, why in chosen.left_out] == [
        ("smoke-test", "left out by --stage remote: it is a paid check")
    ]
    assert not chosen.is_named and len(chosen.everything) == len(ALL)
    assert names(select(ALL, stage=Stage.STATIC).chosen) == ["project-lint", "own-line", "a-rule", "b-rule"]


def test_only_overrides_the_stage_and_skip_overrides_only() -> None:
    chosen = select(ALL, only=["smoke-test", "IMG"], skip=["b-rule"], stage=Stage.STATIC)
    assert (names(chosen.chosen), chosen.is_named) == (["a-rule", "smoke-test"], True)
    assert [c.name for c, _ in chosen.left_out] == ["b-rule"]


def test_a_wrong_name_in_skip_or_only_is_refused() -> None:
    for given in ({"only": ["nope"]}, {"skip": ["nope"]}):
        with pytest.raises(UnknownCheck):
            select(ALL, **given)  # type: ignore[arg-type]
