"""What holds for every static rule: its page, its name, its severity, its words, its files."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from preflight.app import reader
from preflight.app.lookups import RECIPE
from preflight.cli.explain import explain_command
from preflight.engine import builtin
from preflight.model import Check, Finding, Severity, Stage
from preflight.settings import Settings
from preflight.testing import run_checks

DATA = Path(__file__).parents[1] / "data" / "rules"
MOST = {
    name: Severity(most)
    for group in tomllib.loads((Path(__file__).parent / "rules.toml").read_text("utf-8")).values()
    for name, most in group.items()
}
RULES = {
    c.name: c
    for c in builtin.checks()
    if c.stage is Stage.STATIC and RECIPE in c.needs and c.id[:3] in ("IMG", "RES", "PRJ")
}
FILES = sorted(DATA.glob("*/*/*.py"))
BUILDER = re.compile(r"^# builder: (\S+)", re.MULTILINE)
BANNED = re.compile(r"\b(?:please|invalid|something went wrong|see the log|oops|sorry|simply|just)\b", re.IGNORECASE)
SECTIONS = ("Looks at", "Why", ("Before", "before"), ("After", "after"), "Source")
ORDER = [Severity.INFO, Severity.WARNING, Severity.ERROR]


@cache
def findings_in(file: Path) -> tuple[tuple[str, Finding], ...]:
    """What every rule says of a file."""
    recipe = reader.read(file, project=file.parent)
    builder = BUILDER.search(recipe.source.text)
    settings = Settings(project=file.parent, app=recipe.source.path, builder=builder[1] if builder else None)
    report = run_checks(*RULES.values(), given={RECIPE: recipe}, settings=settings)
    assert not [r.reason for r in report.results if r.status in ("error", "blocked")]
    return tuple((r.check.name, f) for r in report.results for f in r.findings)


def test_the_rules_are_those_of_the_catalogue() -> None:
    assert sorted(RULES) == sorted(MOST)


def test_ids_and_names_are_unique() -> None:
    for values in ([c.id for c in builtin.checks()], [c.name for c in builtin.checks()]):
        assert [v for v, n in Counter(values).items() if n > 1] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda c: c.name)
def test_the_page_says_what_is_looked_at_why_an_example_and_the_source(rule: Check) -> None:
    page = rule.doc
    for words in SECTIONS:
        any_of = (words,) if isinstance(words, str) else words
        assert any(re.search(rf"^\s*{w}\b", page, re.MULTILINE) for w in any_of), f"{rule.name} lacks {words}"
    source = re.split(r"^Source\b", page, flags=re.MULTILINE)[-1].strip()
    assert len(source) >= 5, f"{rule.name}: the source is {source!r}"
    assert len(page) >= 300
    assert page.splitlines()[0].endswith(".")


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda c: c.name)
def test_a_rule_has_a_file_that_it_speaks_on_and_one_that_it_leaves_alone(rule: Check) -> None:
    kinds = {f.name.split("_")[0] for f in DATA.glob(f"*/{rule.name}/*.py")}
    assert {"bad", "good"} <= kinds


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda c: c.name)
def test_its_title_is_a_statement_and_its_file_bears_its_name(rule: Check) -> None:
    assert re.fullmatch(r"(?:IMG|RES|PRJ)\d{3}", rule.id)
    assert not rule.title.endswith(".") and not BANNED.search(rule.title)
    file = f"{rule.name.replace('-', '_')}.py"
    assert list((Path(__file__).parents[2] / "checks").glob(f"*/{file}")), file


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda c: c.name)
def test_explain_prints_its_page_by_name_and_by_id(rule: Check) -> None:
    by_name = CliRunner().invoke(explain_command, [rule.name])
    assert by_name.exit_code == 0
    assert rule.id in by_name.output and rule.doc.splitlines()[0] in by_name.output
    assert CliRunner().invoke(explain_command, [rule.id]).output == by_name.output


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_every_finding_is_as_severe_as_its_rule_may_be_and_speaks_plainly(file: Path) -> None:
    for name, finding in findings_in(file):
        said = f"{name}: {finding.message}"
        assert ORDER.index(finding.severity) <= ORDER.index(MOST[name]), said
        assert finding.where is not None and finding.where.line > 0, said
        assert finding.message and not BANNED.search(finding.message), said
        assert not finding.message.endswith("."), said
        assert finding.remedy and not BANNED.search(finding.remedy), said
        assert finding.severity is Severity.INFO or finding.why, said
        assert "Unresolved(" not in finding.message and "Dotted(" not in finding.message, said


def test_every_rule_reaches_its_severity_somewhere() -> None:
    reached: dict[str, set[Severity]] = {}
    for file in FILES:
        for name, finding in findings_in(file):
            reached.setdefault(name, set()).add(finding.severity)
    assert {name for name, most in MOST.items() if most not in reached.get(name, set())} == set()
