"""Dropping a file into tests/data/rules/image/<rule>/ is a test.

bad_*.py: a finding of that rule on every line that ends in `# expect: <rule>`, and on no other.
good_*.py: no finding of that rule.
"""

import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.engine import builtin
from preflight.model import Severity, Stage
from preflight.rules.rule import Context

DATA = Path(__file__).parents[2] / "data" / "rules" / "image"
FILES = sorted(DATA.glob("*/*.py"))
OF_THE_APP = range(720, 970)  # ids of the rules whose files stand in data/rules/app
RULES = {
    c.name: sys.modules[f"checks.image.{c.name.replace('-', '_')}"]
    for c in builtin.checks()
    if c.id.startswith("IMG") and int(c.id[3:]) not in OF_THE_APP and c.stage is Stage.STATIC
}
NOW = datetime(2026, 11, 23, tzinfo=UTC)
EXPECT = re.compile(r"#\s*expect:\s*([a-z0-9-]+)")
BUILDER = re.compile(r"^# builder: (\S+)", re.MULTILINE)


def found(file: Path, name: str):
    recipe = reader.read(file, project=file.parent)
    assert not recipe.broken, recipe.broken
    builder = BUILDER.search(recipe.source.text)
    context = Context(builder[1] if builder else None, file.parent, NOW)
    return list(RULES[name].find(recipe, context))


def lines_expected(file: Path, name: str) -> list[int]:
    text = file.read_text("utf-8").splitlines()
    return [n for n, line in enumerate(text, 1) if name in EXPECT.findall(line)]


@pytest.mark.parametrize(
    "file", [f for f in FILES if f.name.startswith("bad_")], ids=lambda f: f"{f.parent.name}/{f.stem}"
)
def test_a_bad_file_has_its_findings_where_they_are_expected(file):
    name = file.parent.name
    wanted = lines_expected(file, name)
    assert wanted, "a bad file marks its lines with # expect:"
    assert sorted({f.where.line for f in found(file, name)}) == wanted


@pytest.mark.parametrize(
    "file", [f for f in FILES if f.name.startswith("good_")], ids=lambda f: f"{f.parent.name}/{f.stem}"
)
def test_a_good_file_has_no_finding_of_that_rule(file):
    assert [f"{f.where}: {f.message}" for f in found(file, file.parent.name)] == []


def test_every_rule_has_a_bad_and_a_good_file():
    for name in RULES:
        names = {f.name.split("_")[0] for f in FILES if f.parent.name == name}
        assert {"bad", "good"} <= names, name


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_no_rule_breaks_on_any_file(file):
    for name in RULES:
        for finding in found(file, name):
            assert finding.where is not None and finding.where.line > 0
            assert finding.message and (finding.remedy or finding.severity is Severity.INFO)


EXAMPLE = Path(__file__).parents[3] / "preflight" / "sandbox" / "example" / "deploy" / "modal" / "app.py"


def test_the_bundled_example_has_no_error_and_no_warning():
    said = [f"{name}: {f.message}" for name in RULES for f in found(EXAMPLE, name) if f.severity is not Severity.INFO]
    assert said == []


def fixed(text: str, findings) -> str:
    """The text after the fixes that do not overlap one another."""
    edits = sorted({e for f in findings if f.fix for e in f.fix.edits})
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


@pytest.mark.parametrize(
    "file", [f for f in FILES if f.name.startswith("bad_")], ids=lambda f: f"{f.parent.name}/{f.stem}"
)
def test_a_fix_ends_its_finding_and_touches_nothing_outside_its_statement(file, tmp_path):
    name = file.parent.name
    before = found(file, name)
    fixable = [f for f in before if f.fix]
    if not fixable:
        return
    text = reader.read(file, project=file.parent).source.text
    copy = Path(shutil.copytree(file.parent, tmp_path / name)) / file.name
    copy.write_text(fixed(text, fixable), "utf-8")
    after = found(copy, name)
    assert len(after) == len(before) - len(fixable), copy.read_text()
    assert not [f for f in after if f.fix]
