"""Contracts over every rule: its examples show it, its counter-examples don't, and no pattern can run away."""

from __future__ import annotations

import time

import pytest

from preflight.diagnosis import diagnose
from preflight.diagnosis.rules import Rule, RuleError, _rule, rulebook

RULES = rulebook().rules
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
    signals = {s.id for s in rulebook().signals}
    for rule in RULES:
        assert set(rule.explains) <= ids - {rule.id}, rule.id
        assert set(rule.needs) | set(rule.unless) <= signals, rule.id
        cause = diagnose(rule.examples[0][0]).causes[0]
        assert "{" not in cause.remedy + cause.why, rule.id


def test_all_forms_of_a_cause_agree_on_phase_and_family() -> None:
    assert len({r.key for r in RULES}) == len(RULES)
    assert len({(r.id, r.phase, r.family) for r in RULES}) == len({r.id for r in RULES})


@pytest.mark.parametrize("hostile", ["'" * 4000, "a" * 4000, "/x" * 2000, "- torch==" * 400, "_Z" * 2000, " " * 4000])
def test_no_pattern_takes_more_than_a_moment_on_a_hostile_line(hostile: str) -> None:
    slow = []
    for rule, pattern in PATTERNS:
        for text in (
            hostile,
            f"undefined symbol: {hostile}",
            f"No such file or directory: '{hostile}",
            f"An error {hostile}",
        ):
            began = time.process_time()
            pattern.search(text)
            if (took := time.process_time() - began) > 0.2:
                slow.append((rule, pattern.pattern, took))
    assert slow == []


def test_a_rule_with_an_unknown_field_is_refused_with_its_name() -> None:
    with pytest.raises(RuleError, match=r"x\.toml: rule broken: unknown fields colour"):
        _rule({"id": "broken", "colour": "red"}, "x.toml")


def test_a_rule_without_patterns_is_refused() -> None:
    with pytest.raises(RuleError, match="KeyError"):
        _rule({"id": "broken"}, "x.toml")
