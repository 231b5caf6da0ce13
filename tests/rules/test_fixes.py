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
from preflight.model import Result, Severity
from preflight.rules.fixes import Fixed, fixed
from preflight.settings import Settings

from .examples import FILES, content

RULES = static_rules(builtin.checks())
BAD = [f for f in FILES if f.name.startswith("bad_") and f.parent.name != "app-syntax"]


@cache
def read(file: Path, content: bytes) -> Recipe:
    return reader.read(file, project=file.parent, content=content)


@cache
def judged(file: Path, content: bytes) -> tuple[Result, ...]:
    """What every rule finds in this text: asked once for all tests and for the fixes."""
    return asyncio.run(judge(RULES, read(file, content), Settings(project=file.parent, app=file.name)))


@cache
def mended(file: Path, content: bytes, *, is_unsafe_allowed: bool) -> Fixed:
    texts: dict[int, bytes] = {}

    def remembered(text: bytes) -> Recipe:
        recipe = read(file, text)
        texts[id(recipe)] = text
        return recipe

    async def judge_once(recipe: Recipe) -> tuple[Result, ...]:
        return await asyncio.to_thread(judged, file, texts[id(recipe)])

    return asyncio.run(fixed(content, remembered, judge_once, is_unsafe_allowed=is_unsafe_allowed))


def said(file: Path, content: bytes, least: Severity | None = None) -> Counter[tuple[str, str]]:
    results = judged(file, content)
    return Counter((r.check.name, f.message) for r in results for f in r.findings if least in (None, f.severity))


def lines_spoken_of(file: Path, content: bytes) -> set[int]:
    """Lines, from 0, of which some rule speaks, or where a fix of one begins."""
    recipe, findings = read(file, content), [f for r in judged(file, content) for f in r.findings]
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


MANY = b"""import modal
from modal import gpu

stub = modal.Stub("a")
image = modal.Image.debian_slim(python_version=3.11).pip_install("torch==2.2.2").env({"MAX_JOBS": 4})
image = image.run_commands("source /env.sh", "pip install numpy>=1.26", force_build=True)


@stub.function(image=image, gpu=gpu.A100(count=4, size="80GB"), timeout=100000, memory="32GB", keep_warm=1)
def train(): ...


@stub.function(gpu="a10g:16", volumes={"data": modal.Volume.persisted("v")}, allow_concurrent_inputs=4)
def load(): ...
"""


@pytest.mark.parametrize("is_unsafe_allowed", [False, True])
def test_the_fixes_of_many_rules_reach_their_end_in_one_pass(tmp_path: Path, is_unsafe_allowed: bool) -> None:
    file = tmp_path / "app.py"
    done = mended(file, MANY, is_unsafe_allowed=is_unsafe_allowed)
    ast.parse(done.after)
    rules = {name.partition(" ")[0] for name in done.applied}
    assert {"dep-stub-removed", "dep-gpu-object", "ver-python-type", "app-arg-type", "res-timeout-over-max"} <= rules
    assert {"res-gpu-count", "sto-volume-path", "shl-source-in-sh", "cac-force-build-left"} <= rules
    assert ({"res-memory-unit", "dep-allow-concurrent-inputs"} <= rules) is is_unsafe_allowed
    left = [f for r in judged(file, done.after) for f in r.findings if f.fix and (f.fix.is_safe or is_unsafe_allowed)]
    assert len(left) == len(done.taken_back)  # nothing else could still be fixed
    again = mended(file, done.after, is_unsafe_allowed=is_unsafe_allowed)
    assert (again.applied, again.after) == ((), done.after)
    assert {n for n, _ in said(file, done.after, Severity.ERROR)} < {n for n, _ in said(file, MANY, Severity.ERROR)}
