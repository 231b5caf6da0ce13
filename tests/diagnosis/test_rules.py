"""Contracts over every rule: its examples show it, its counter-examples don't, and no pattern can run away."""

from __future__ import annotations

import re
import time

import pytest

from preflight.build.compat import needs_of
from preflight.diagnosis import diagnose
from preflight.diagnosis.explain import in_words_of_log
from preflight.diagnosis.rules import Rule, rulebook
from preflight.toml_rows import WrongRow, typed

RULES = rulebook().rule
PATTERNS = [(r.id, p) for r in RULES for p in (*r.patterns, *(x for x in (r.near, r.not_near) if x))]


def name(rule: Rule) -> str:
    return f"{rule.id}{'-' * bool(rule.form)}{rule.form}"


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_each_example_names_its_own_rule_first_with_the_proving_text(rule: Rule) -> None:
    assert rule.examples
    for log, match in rule.examples:
        causes = diagnose(log).causes
        assert causes, log
        assert causes[0].rule == rule.id
        assert match in causes[0].excerpt


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_what_looks_like_it_but_is_not_stays_silent(rule: Rule) -> None:
    assert rule.silent_on
    for log in rule.silent_on:
        assert diagnose(log).causes == ()


def test_every_explained_rule_and_every_signal_exists() -> None:
    ids = {r.id for r in RULES}
    signals = {s.id for s in rulebook().signal}
    for rule in RULES:
        assert set(rule.explains) <= ids - {rule.id}, rule.id
        assert set(rule.needs) | set(rule.unless) <= signals, rule.id
        cause = diagnose(rule.examples[0][0]).causes[0]
        assert "{" not in cause.remedy + cause.why, rule.id


def test_all_forms_of_a_cause_agree_on_phase_and_family() -> None:
    assert len({r.key for r in RULES}) == len(RULES)
    assert len({(r.id, r.phase, r.family) for r in RULES}) == len({r.id for r in RULES})


WITHOUT_WORDS = re.compile(r"\{(\w+)\}")
PLACEHOLDER = re.compile(r"\b(?:NAME|PACKAGE|LIB|X\.Y\.Z|cuNNN|CLASS)\b|\{\w+\}|``|[a-z]  [a-z]")


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_no_remedy_shows_a_placeholder_whatever_the_log_lacks(rule: Rule) -> None:
    captured = {n: "seen" for r in rule.remedies for n in r.when if not n.startswith("!")}
    for when, text in (((), rule.why), ((), rule.remedy), *((r.when, r.fix) for r in rule.remedies)):
        known = {n.partition("=")[0]: captured[n] for n in when if n in captured}
        filled = in_words_of_log(text, dict.fromkeys(WITHOUT_WORDS.findall(text), "seen") | known)
        assert PLACEHOLDER.search(filled) is None, filled


def test_of_several_remedies_the_first_whose_conditions_hold_is_told() -> None:
    by_pip = diagnose(
        "Collecting flash-attn\n  Getting requirements to build wheel ... error\nNo module named 'torch'\n"
    )
    by_uv = diagnose(
        "$ uv sync\n  × Failed to build `flash-attn==2.7.3`\n"
        "  hint: `flash-attn` needs\nbuilds-v0\nNo module named 'torch'\n"
    )
    assert "pip install --no-build-isolation" in by_pip.causes[0].remedy
    assert "[tool.uv] no-build-isolation-package" in by_uv.causes[0].remedy


PINNED = re.compile(r"\b([a-z][\w-]+)(==|<|>=)(\d[\w.]*)")


def test_no_remedy_pins_what_the_tables_say_breaks() -> None:
    """Pins in texts are few and open to one side; which wheel fits is asked of the tables."""
    texts = [t for r in RULES for t in (r.remedy, *(remedy.fix for remedy in r.remedies))]
    pins = {found.groups() for text in texts for found in PINNED.finditer(text)}
    assert {(p, o) for p, o, _ in pins if o == "=="} == set()
    assert {p for p, _, _ in pins} <= {"numpy", "setuptools", "transformers"}


def test_a_remedy_that_pins_transformers_says_what_the_table_of_needs_says() -> None:
    remedy = next(r.remedy for r in RULES if r.id == "transformers-api-removed")
    assert f"'transformers{needs_of('mamba-ssm', '2.2.2', 'transformers')[0].needs}'" in remedy


LONG = 1000  # characters; a pattern that is quadratic takes 16 times as long on a line of 4,000
LIMIT_S = 0.0125


@pytest.mark.parametrize("hostile", ["'", "a", "/x", "- torch==", "_Z", " "])
def test_no_pattern_takes_more_than_a_moment_on_a_hostile_line(hostile: str) -> None:
    line = hostile * (LONG // len(hostile))
    slow = []
    for rule, pattern in PATTERNS:
        for start in ("", "undefined symbol: ", "No such file or directory: '", "An error "):
            if took(pattern, start + line) > LIMIT_S and min(took(pattern, start + line) for _ in range(3)) > LIMIT_S:
                slow.append((rule, pattern.pattern))
    assert slow == []


def took(pattern: re.Pattern[str], text: str) -> float:
    """Seconds of this process."""
    began = time.process_time()
    pattern.search(text)
    return time.process_time() - began


GOOD = {
    **dict.fromkeys(("id", "title", "phase", "family", "why", "remedy", "source"), "x"),
    **{"tier": 3, "needles": ["x"], "patterns": ["x"]},
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"colour": "red"}, "unknown field `colour`"),
        ({"patterns": ["(x"]}, r"patterns\[0\].*'\(x' is no regular expression"),
        ({"tier": "3"}, "tier.*Expected `int`"),
        ({"confidence": "sure"}, "confidence.*'sure'"),
    ],
)
def test_a_rule_that_is_wrong_is_refused_with_its_place(changed: dict[str, object], message: str) -> None:
    with pytest.raises(WrongRow, match=rf"x\.toml.*{message}"):
        typed(GOOD | changed, Rule, "x.toml")


@pytest.mark.parametrize("left_out", GOOD)
def test_a_rule_that_lacks_a_field_is_refused(left_out: str) -> None:
    with pytest.raises(WrongRow, match=f"missing required field `{left_out}`"):
        typed({name: value for name, value in GOOD.items() if name != left_out}, Rule, "x.toml")
