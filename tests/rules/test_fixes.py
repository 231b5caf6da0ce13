"""`lint --fix` over every file of tests/data/rules: what is mended stays mended, and nothing else is touched."""

from __future__ import annotations

import ast
import asyncio
import difflib
import io
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.app.model import Recipe
from preflight.engine import builtin
from preflight.engine.files import judge, static_rules
from preflight.model import Severity
from preflight.rules.fixes import Fixed, fixed
from preflight.settings import Settings

from .examples import FILES, content

RULES = static_rules(builtin.checks())
BAD = [f for f in FILES if f.name.startswith("bad_") and f.parent.name != "app-syntax"]


@cache
def mended(file: Path, content: bytes, *, is_unsafe_allowed: bool) -> Fixed:
    settings = Settings(project=file.parent, app=file.name)

    def read(text: bytes) -> Recipe:
        return reader.read(file, project=file.parent, content=text)

    return asyncio.run(
        fixed(content, read, lambda recipe: judge(RULES, recipe, settings), is_unsafe_allowed=is_unsafe_allowed)
    )


def said(file: Path, content: bytes, least: Severity | None = None) -> Counter[tuple[str, str]]:
    recipe = reader.read(file, project=file.parent, content=content)
    results = asyncio.run(judge(RULES, recipe, Settings(project=file.parent, app=file.name)))
    return Counter((r.check.name, f.message) for r in results for f in r.findings if least in (None, f.severity))


def lines_spoken_of(file: Path, content: bytes) -> set[int]:
    """Lines, from 0, of which some rule speaks, or where a fix of one begins."""
    recipe = reader.read(file, project=file.parent, content=content)
    results = asyncio.run(judge(RULES, recipe, Settings(project=file.parent, app=file.name)))
    findings = [f for r in results for f in r.findings]
    begun = {recipe.source.text.count("\n", 0, e.start) for f in findings if f.fix for e in f.fix.edits}
    return begun | {f.where.line - 1 for f in findings if f.where is not None}


def comments(content: bytes) -> list[str]:
    return [t.string for t in tokenize.tokenize(io.BytesIO(content).readline) if t.type == tokenize.COMMENT]


@pytest.mark.parametrize("file", BAD, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_a_fixed_file_parses_has_fewer_findings_and_is_left_alone_by_a_second_run(file: Path) -> None:
    before = content(file)
    done = mended(file, before, is_unsafe_allowed=True)
    if done.before == done.after:
        assert not done.applied
        return
    ast.parse(done.after)
    was, now = said(file, before), said(file, done.after)
    assert (was - now).total() >= len({*done.applied})
    assert not (said(file, done.after, Severity.ERROR) - said(file, before, Severity.ERROR))
    again = mended(file, done.after, is_unsafe_allowed=True)
    assert (again.applied, again.after) == ((), done.after)


@pytest.mark.parametrize("file", BAD, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_a_fix_keeps_comments_and_every_line_it_is_not_about(file: Path) -> None:
    before = content(file)
    done = mended(file, before, is_unsafe_allowed=True)
    assert Counter(comments(before)) - Counter(comments(done.after)) == Counter()
    old, new = before.decode().splitlines(), done.after.decode().splitlines()
    touched = [
        n
        for tag, start, end, _, _ in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag in ("replace", "delete")
        for n in range(start, end)
    ]
    statements = [(s.lineno - 1, (s.end_lineno or s.lineno) - 1) for s in ast.parse(before).body]
    spoken_of = lines_spoken_of(file, before)
    for n in touched:
        statement = next(((a, b) for a, b in statements if a <= n <= b), (n, n))
        assert any(statement[0] <= m <= statement[1] for m in spoken_of) or "import" in old[n], old[n]


def test_safe_fixes_alone_leave_what_may_change_the_app(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    call = b'@app.function(gpu="a10g", timeout=100000, memory="8GB")  # kept'
    text = b'import modal\n\napp = modal.App("a")\n\n\n' + call + b"\ndef f(): ...\n"
    safe, all_of_them = (mended(file, text, is_unsafe_allowed=allowed) for allowed in (False, True))
    assert {*safe.applied} <= {*all_of_them.applied}
    assert b"# kept" in safe.after and b"# kept" in all_of_them.after


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_newlines_and_the_byte_order_mark_stay(tmp_path: Path, newline: bytes, start: bytes) -> None:
    lines = [b"import modal", b"", b"# caf\xc3\xa9", b"stub = modal.Stub('a')", b""]
    done = mended(tmp_path / "app.py", start + newline.join(lines), is_unsafe_allowed=False)
    assert done.after == start + newline.join(lines).replace(b"Stub", b"App")


def test_an_ignored_finding_is_not_fixed(tmp_path: Path) -> None:
    text = b"import modal\n\nstub = modal.Stub('a')  # preflight: ignore[dep-stub-removed] kept for the old client\n"
    done = mended(tmp_path / "app.py", text, is_unsafe_allowed=True)
    assert done.after == text and done.applied == ()
