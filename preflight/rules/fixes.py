"""Applies the rules' fixes to one file's text: one at a time, each judged before the next.

A fix stays when the result parses, the finding is gone, and no rule finds an error that was not there; otherwise it
is taken back, and said.  So a second run has nothing left to do.
"""

from __future__ import annotations

import difflib
import io
import itertools
import stat
import tokenize
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from preflight.app.model import Recipe
from preflight.model import Edit, Finding, Fix, Result, Severity
from preflight.store import write_whole

MOST_FIXES = 200  # of one file; more are left for the next run
Judge = Callable[[Recipe], Awaitable[Sequence[Result]]]
Read = Callable[[bytes], Recipe]
Name = tuple[str, str]  # rule and message: what makes two findings the same though their lines have moved


@dataclass(frozen=True)
class Fixed:
    """``applied`` and ``taken_back`` are "rule at path:line", in order."""

    before: bytes
    after: bytes
    applied: tuple[str, ...]
    taken_back: tuple[str, ...]


async def fixed(content: bytes, read: Read, judge: Judge, *, is_unsafe_allowed: bool) -> Fixed:
    """The file's bytes after every fix that holds.  Encoding, newlines and a BOM stay as they are."""
    before, recipe = content, read(content)
    found = await judge(recipe)
    applied: list[str] = []
    taken_back: dict[str, None] = {}
    refused: set[tuple[str, tuple[Edit, ...]]] = set()
    tried_after = 0  # fixes applied when those that were taken back were last tried again
    while recipe.source.tree is not None and len(applied) < MOST_FIXES:
        chosen = _next(found, recipe.source.path, refused, is_unsafe_allowed=is_unsafe_allowed)
        if chosen is None and taken_back and len(applied) > tried_after:
            tried_after = len(applied)  # what did not hold may hold now that others are in
            refused.clear()
            taken_back.clear()
            continue
        if chosen is None:
            break
        result, finding, fix = chosen
        name = f"{result.check.name} at {finding.where}"
        attempt = edited(content, recipe.source.text, fix)
        after = read(attempt) if attempt is not None else None
        if attempt is not None and after is not None and after.source.tree is not None:
            found_after = await judge(after)
            if _holds(found, found_after, (result.check.name, finding.message)):
                content, recipe, found = attempt, after, found_after
                applied.append(name)
                refused.clear()  # places have moved: what was refused is tried once more at its new place
                refused |= {(r.check.name, fix.edits) for r, f, fix in _with_fix(found) if _key(r, f) in taken_back}
                continue
        refused.add((result.check.name, fix.edits))
        taken_back[_key(result, finding)] = None
    return Fixed(before, content, tuple(applied), tuple(taken_back))


def _key(result: Result, finding: Finding) -> str:
    return f"{result.check.name}: {finding.message}"


def _with_fix(results: Sequence[Result]) -> list[tuple[Result, Finding, Fix]]:
    return [(r, f, f.fix) for r in results for f in r.findings if f.fix is not None]


def _next(
    results: Sequence[Result], path: str, refused: set[tuple[str, tuple[Edit, ...]]], *, is_unsafe_allowed: bool
) -> tuple[Result, Finding, Fix] | None:
    """The first fix, in the order of the text, that is allowed and was not refused."""
    candidates = [
        (result, finding, fix)
        for result, finding, fix in _with_fix(results)
        if (fix.is_safe or is_unsafe_allowed) and (result.check.name, fix.edits) not in refused
        if all(e.path == path for e in fix.edits)
    ]
    return min(candidates, key=lambda c: (c[2].edits[0].start, c[0].check.id), default=None)


def edited(content: bytes, text: str, fix: Fix) -> bytes | None:
    """The bytes with the edits made; None where they overlap, or say what the file's encoding can't."""
    edits = sorted(fix.edits, key=lambda e: (e.start, e.end))
    if any(a.end > b.start for a, b in itertools.pairwise(edits)):
        return None
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    coding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    try:
        return text.encode(coding)
    except UnicodeEncodeError:
        return None


def _holds(before: Sequence[Result], after: Sequence[Result], name: Name) -> bool:
    """Whether that finding is gone, no error came, and every rule that looked still could."""
    if _counted(after)[name] >= _counted(before)[name]:
        return False
    if _counted(after, Severity.ERROR) - _counted(before, Severity.ERROR):
        return False
    broken = {r.check.id for r in after if r.answer is None and r.status in ("error", "blocked")}
    return not broken - {r.check.id for r in before if r.answer is None}


def _counted(results: Sequence[Result], severity: Severity | None = None) -> Counter[Name]:
    return Counter(
        (r.check.name, f.message) for r in results for f in r.findings if severity is None or f.severity is severity
    )


def difference(done: Fixed, path: str) -> str:
    """A unified diff of what the fixes would change; "" for nothing."""
    if done.before == done.after:
        return ""
    lines = []
    for content in (done.before, done.after):
        coding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        lines.append(io.StringIO(content.decode(coding).removeprefix("\ufeff"), newline="").readlines())
    diff = difflib.unified_diff(lines[0], lines[1], f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in diff)


def write(file: Path, content: bytes) -> None:
    """Replace the file as a whole or not at all, keeping its mode; a link's target is what is replaced."""
    target = file.resolve()
    write_whole(target, content, mode=stat.S_IMODE(target.stat().st_mode))
