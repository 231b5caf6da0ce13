"""Each branch of the judges, by the rows of changed_readings.py."""

from __future__ import annotations

import pytest

from preflight.probe.reading import parsed
from preflight.probe.verdict import judge
from tests.probe.changed_readings import (
    ABSENT,
    CHOICES,
    DECISION,
    HANDLER,
    HIDDEN,
    READ,
    REPLACED,
    ROWS,
    RUN,
    SCAN_BACKWARD,
    SLOW,
    Row,
    case,
    changed,
    compared,
    ended,
    without,
)


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row[0]}-{row[3]}" for n, row in enumerate(ROWS)])
def test_a_changed_reading_gets_its_verdict_its_cause_and_its_remedy(row: Row) -> None:
    name, changes, verdict, cause, texts = row
    ruling = judge(parsed(changed(name, changes))).ruling
    assert (ruling.verdict.value, ruling.cause.value) == (verdict, cause), ruling.reason
    text = f"{ruling.reason}\n{ruling.remedy}"
    for wanted in texts:
        assert (wanted[1:] not in text) if wanted.startswith("!") else (wanted in text)


def test_the_places_of_all_who_chose_are_named_the_most_telling_first() -> None:
    changes = {
        **HIDDEN,
        f"{CHOICES}.handlers": [HANDLER, {**HANDLER, "about_mamba": False, "line": 99}],
        f"{CHOICES}.decisions": [{**DECISION, "is_sure": False, "line": 98}, DECISION],
        f"{CHOICES}.reads": [READ],
        f"{CHOICES}.slow_paths": [SLOW],
        f"{RUN}.library.replaced": [REPLACED],
        f"{RUN}.library.absent": [ABSENT],
    }
    ruling = judge(parsed(changed("own-healthy", changes))).ruling
    assert [str(w) for w in ruling.where] == ["net.py:5", "net.py:6", "net.py:9", "net.py:10", "mamba.py:2"]
    assert ruling.evidence == ("net.py:5 caught ImportError: no",)


def test_only_the_reads_of_the_switch_that_is_set_are_named() -> None:
    changes = {"forced": {"FAST": "1"}, f"{CHOICES}.reads": [READ, {**READ, "name": "OTHER", "line": 99}]}
    ruling = judge(parsed(changed("one-of-two", changes))).ruling
    assert [str(w) for w in ruling.where] == ["net.py:8"]


def test_a_block_names_what_launched_what_did_not_and_its_tolerance() -> None:
    healthy = judge(parsed(changed("healthy", {})))
    assert [(b.block, len(b.launched), b.missing) for b in healthy.blocks] == [("Mamba", 4, ()), ("Mamba2", 15, ())]
    assert healthy.blocks[0].ruling.reason == (
        "Mamba in float32: 4 kernels, numbers right within 0.0035 % (gradients 0.012 %)"
    )
    less = judge(parsed(changed("healthy", {"cases.*.value.launched": without(SCAN_BACKWARD)})))
    assert less.blocks[0].missing == (SCAN_BACKWARD,) and SCAN_BACKWARD not in less.blocks[0].launched
    stand_in = changed("healthy", {"simulated": True, "cases.*.value.numerics.compared": []})
    assert judge(parsed(stand_in)).blocks[0].ruling.reason == "Mamba in float32: 4 kernels"


def test_the_tolerance_of_a_dtype_is_that_of_an_output_that_was_compared() -> None:
    less = {
        "request.blocks": [{"block": "Mamba"}],
        "cases": lambda rows: rows[:2],
        "cases.1.value.numerics.compared": compared("gradient of D"),
    }
    reason = judge(parsed(changed("healthy", less))).ruling.reason
    assert "in float32" in reason and "in bfloat16" not in reason


@pytest.mark.parametrize(
    ("tail", "shown"),
    [
        ("a\n\nb\nCurrent thread 0x1\n1\n2\n3\n4\n5\n6", ("Current thread 0x1", "1", "2", "3", "4", "5")),
        ("1\n2\n \n3\n4\n5\n6\n7", ("2", "3", "4", "5", "6", "7")),
        ("", ()),
    ],
)
def test_the_lines_that_tell_most_of_a_death_are_kept(tail: str, shown: tuple[str, ...]) -> None:
    changes = {"cases": case(**ended("crash", output_tail=tail))}
    assert judge(parsed(changed("scan-3-percent", changes))).ruling.evidence == shown
