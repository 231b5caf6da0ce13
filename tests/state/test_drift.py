"""What a gate says of two vectors, line by line; and which answers are too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from preflight.model import Stage
from preflight.state.drift import LONGEST, Drift, between, expired, unchecked
from preflight.state.receipt import GOOD_FOR, Entry

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "then", "now", "how"),
    [
        ("Python", "3.11", "3.12", "3.11 → 3.12"),
        ("Python", "3.11", None, "is gone"),
        ("Python", None, "3.12", "is new: 3.12"),
        ("variable X", "0a", "0b", "changed"),
        ("variable X", None, "0b", "is new"),
        ("variable X", "0a", None, "is gone"),
        ("token", "0a", "0b", "changed"),
        ("Modal profile token_id", "0a", "0b", "changed"),
        ("Modal profile", "one", "two", "one → two"),
        ("file a", "d1 644", "d2 644", "changed"),
        ("file a", "d1 644", "d1 755", "mode 644 → 755"),
        ("file a", "absent", "d1 644", "is new"),
        ("file a", "d1 644", "absent", "is gone"),
        ("file a", "d1 644", "link b", "is a link now"),
        ("file a", "link b", "d1 644", "is no link any more"),
        ("file a", "link b", "link c", "leads to c, no longer to b"),
        ("file a", "link b d1 644", "link b d2 644", "changed"),
        ("file a", "large 5 1 1 644", "large 5 2 2 644", "changed"),
        ("file a", None, "d1 644", "is new"),
    ],
)
def test_each_difference_is_one_line(name: str, then: str | None, now: str | None, how: str) -> None:
    before, after = ({name: value} if value is not None else {} for value in (then, now))
    assert between(before | {"same": "1"}, after | {"same": "1"}) == (Drift(name.removeprefix("file "), how),)


def test_nothing_is_said_where_nothing_differs() -> None:
    assert between({"a": "1", "file b": "x 644"}, {"file b": "x 644", "a": "1"}) == ()


def test_a_file_under_another_name_is_one_drift_and_two_of_them_are_two() -> None:
    moved = between({"file a": "x 644"}, {"file b": "x 644"})
    assert moved == (Drift("a", "is now b"),)
    two = between({"file a": "x 644", "file b": "x 644"}, {"file c": "x 644", "file d": "x 644"})
    assert sorted(d.how for d in two) == ["is now c", "is now d"] and {d.what for d in two} == {"a", "b"}
    assert between({"file a": "x 644"}, {"file b": "y 644"}) == (Drift("a", "is gone"), Drift("b", "is new"))
    assert between({"a": "x"}, {"b": "x"}) == (Drift("a", "is gone"), Drift("b", "is new: x"))


def test_files_come_first_and_a_long_value_is_cut() -> None:
    found = between({}, {"setting x": "v" * 100, "file z": "d 644"})
    assert [d.what for d in found] == ["z", "setting x"]
    assert found[1].how == "is new: " + "v" * (LONGEST - 1) + "…"
    assert between({}, {"x": "v" * LONGEST})[0].how == "is new: " + "v" * LONGEST


def entry(stage: Stage, age: timedelta, name: str = "one") -> Entry:
    return Entry(id="AA001", name=name, stage=stage, status="pass", at=NOW - age)


@pytest.mark.parametrize("stage", [Stage.STATIC, Stage.PAID])
def test_an_answer_counts_to_the_end_of_its_time_and_not_a_second_longer(stage: Stage) -> None:
    last = GOOD_FOR[stage]
    assert expired([entry(stage, last)], NOW, is_offline=False) == ()
    (late,) = expired([entry(stage, last + timedelta(seconds=1))], NOW, is_offline=False)
    day = f"{NOW - last - timedelta(seconds=1):%Y-%m-%d %H:%M}"
    assert late == Drift("one", f"passed on {day} UTC; {stage} answers count for 7 days")


def test_a_remote_answer_is_asked_again_and_its_age_counts_only_offline() -> None:
    old = entry(Stage.REMOTE, timedelta(minutes=16))
    assert expired([old], NOW, is_offline=False) == ()
    (late,) = expired([old], NOW, is_offline=True)
    assert late.how.endswith("remote answers count for 15 min")
    assert expired([entry(Stage.REMOTE, timedelta(minutes=15))], NOW, is_offline=True) == ()


def test_of_a_stage_the_oldest_answer_is_named() -> None:
    week = GOOD_FOR[Stage.PAID]
    late = [entry(Stage.PAID, week + timedelta(days=n), f"n{n}") for n in (1, 3, 2)]
    assert [d.what for d in expired(late, NOW, is_offline=False)] == ["n3"]


def test_a_check_that_the_pass_has_no_answer_of_is_named() -> None:
    known = [entry(Stage.STATIC, timedelta())]
    assert unchecked(known, {"AA001": "one"}) == ()
    missing = Drift("two", "is a check that the pass has no answer of")
    assert unchecked(known, {"AA001": "one", "AA002": "two"}) == (missing,)
