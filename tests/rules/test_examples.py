"""Every rule on its examples: where it speaks, what it says, what its fix changes, and where it is silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.app import reader
from preflight.model import Severity, Status

from .examples import (
    FILES,
    MARK,
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
