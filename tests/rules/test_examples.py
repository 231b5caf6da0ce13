"""Every rule on its examples: where it speaks, what it says, what its fix changes, and where it is silent."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.model import Severity, Status

from .examples import (
    BANNED,
    FILES,
    MARK,
    RECIPES,
    content,
    described,
    expected,
    findings,
    is_updating,
    judged,
    read,
    results,
    rules,
    written,
)

BAD = [f for f in FILES if not f.name.startswith("good")]
GOOD = [f for f in FILES if f.name.startswith("good")]
MOST = {
    name: Severity(most)
    for family in tomllib.loads(Path(__file__).with_name("most_severe.toml").read_text("utf-8")).values()
    for name, most in family.items()
}
ORDER = [Severity.INFO, Severity.WARNING, Severity.ERROR]
EXAMPLE = Path(__file__).parents[2] / "preflight" / "sandbox" / "example" / "deploy" / "modal" / "app.py"


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def test_every_folder_is_named_after_a_rule() -> None:
    assert {f.parent.name for f in FILES} <= rules().keys()


@pytest.mark.parametrize("file", BAD, ids=_name)
def test_a_rule_speaks_on_the_marked_lines_and_no_other(file: Path) -> None:
    found = findings(file, file.parent.name)
    assert expected(file), f"mark the lines with # expect: {file.parent.name}"
    assert sorted({f.where.line for f in found if f.where}) == expected(file), [f.message for f in found]


@pytest.mark.parametrize("file", BAD, ids=_name)
def test_what_a_rule_says_is_what_stands_below_its_example(file: Path) -> None:
    now = described(file, findings(file, file.parent.name))
    if is_updating() and now != written(file):
        file.write_bytes(content(file).rstrip(b"\n") + b"\n" + MARK.encode() + now.encode())
    assert now == written(file), "if it is meant: UPDATE=1 pytest tests/rules, and read the difference"


@pytest.mark.parametrize("file", GOOD, ids=_name)
def test_a_rule_is_silent_on_what_only_looks_alike(file: Path) -> None:
    assert [(f.message, str(f.where)) for f in findings(file, file.parent.name)] == []


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_no_rule_breaks_on_any_file(file: Path) -> None:
    broken = [(n, r.reason) for n, r in results(file).items() if r.status in (Status.ERROR, Status.BLOCKED)]
    assert broken == []


@pytest.mark.parametrize("name", rules())
def test_a_rule_has_an_example_where_it_speaks_and_looks_at_a_file_without_a_word(name: str) -> None:
    assert any(f.parent.name == name for f in BAD), f"tests/data/rules/{name}/ holds no example"
    near_first = sorted(FILES, key=lambda f: f.parent.name != name)
    assert any(_is_silent_on_something(f, name) for f in near_first), f"no example is right for {name}"


def _is_silent_on_something(file: Path, name: str) -> bool:
    """It looked at more things than it speaks of."""
    answer = results(file)[name].answer
    if answer is None:
        return file in GOOD and file.parent.name == name
    looked_at = str(answer.seen.get("looked_at", "0")).split()[0]
    return not answer.findings or int(looked_at) > len(answer.findings)


def test_the_bundled_example_has_no_error_and_no_warning() -> None:
    found = [(n, f.message) for n, r in results(EXAMPLE).items() for f in r.findings if f.severity is not Severity.INFO]
    assert found == []


@pytest.mark.parametrize("file", [f for f in BAD if f.parent.name != "app-syntax"], ids=_name)
def test_a_fix_ends_its_finding(file: Path) -> None:
    before = findings(file, file.parent.name)
    fixable = [f for f in before if f.fix is not None]
    text = read(file).source.text
    for edit in sorted({e for f in fixable if f.fix for e in f.fix.edits}, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    after = _again(file, text)
    assert len(after) == len(before) - len(fixable), text


def _again(file: Path, text: str) -> list[str]:
    recipe = reader.read(file, project=file.parent, content=text.encode())
    [result] = judged([rules()[file.parent.name]], recipe, file)
    return [f.message for f in result.findings]


def most_severe() -> dict[str, Severity]:
    """The most severe finding of each rule in all examples."""
    found: dict[str, list[Severity]] = {}
    for file in (*FILES, *RECIPES):
        for name, result in results(file).items():
            found.setdefault(name, []).extend(f.severity for f in result.findings)
    return {name: max(each, key=ORDER.index) for name, each in found.items() if each}


def test_every_rule_reaches_its_severity_somewhere() -> None:
    assert MOST.keys() <= rules().keys()
    assert {name for name, most in MOST.items() if most_severe().get(name) is not most} == set()


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_every_finding_is_as_severe_as_its_rule_may_be_and_is_in_plain_words(file: Path) -> None:
    for name, result in results(file).items():
        for finding in result.findings:
            shown = f"{name}: {finding.message}"
            assert ORDER.index(finding.severity) <= ORDER.index(MOST.get(name, Severity.ERROR)), shown
            assert finding.where is not None and finding.where.line > 0, shown
            assert finding.message and not BANNED.search(finding.message), shown
            assert not finding.message.endswith("."), shown
            assert finding.remedy and not BANNED.search(finding.remedy), shown
            assert finding.severity is Severity.INFO or finding.why or finding.remedy.startswith("see "), shown
            assert "Unresolved(" not in finding.message and "Dotted(" not in finding.message, shown
