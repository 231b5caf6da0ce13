"""All static rules over many files: one report, with one result a rule."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from preflight.app import reader
from preflight.app.find import SKIPPED
from preflight.app.lookups import BUILDER, RECIPE
from preflight.app.model import Recipe
from preflight.app.regular import content_of
from preflight.engine.run import judged, run
from preflight.engine.select import Selection, in_order
from preflight.lookups import Lookup, LookupFailed, World
from preflight.model import (
    UNANSWERED,
    WORST_FIRST,
    Answer,
    Check,
    Edit,
    Finding,
    Fix,
    NotApplicable,
    Report,
    Result,
    Stage,
    Status,
    Target,
    Where,
)
from preflight.rules.form import Context, Rule, counts_of
from preflight.settings import Settings

IMPORTS_MODAL = re.compile(rb"\b(?:import|from)\b(?:[^\n#]|\\\r?\n)*?\bmodal\b")
MOST_FILES = 50_000
MOST_BYTES = 10_000_000


@dataclass(frozen=True)
class ToLint:
    """One file to look at, with the settings of its project."""

    file: Path
    settings: Settings
    content: bytes | None = None  # given instead of the file's


class TooManyFiles(Exception):
    """A folder holds more Python files than are looked at; the text says how many that is."""


def static_rules(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that read an app's recipe and nothing that costs or leaves this machine."""
    return tuple(c for c in checks if c.stage is Stage.STATIC and RECIPE in c.needs)


def python_files(folder: Path) -> Iterator[Path]:
    """Python files below a folder that import modal; hidden folders, environments and build folders are left out.

    Raises TooManyFiles.
    """
    seen = 0
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("."))
        for name in sorted(files):
            if not name.endswith(".py"):
                continue
            seen += 1
            if seen > MOST_FILES:
                raise TooManyFiles(f"more than {MOST_FILES:,} Python files are below {folder}; name smaller folders")
            path = Path(here, name)
            try:
                if not path.is_file():
                    continue  # a pipe would never end
                if IMPORTS_MODAL.search(content_of(path, MOST_BYTES)):
                    yield path
            except OSError:
                yield path  # told in the report: it could not be read


async def judge(checks: Sequence[Check], recipe: Recipe | LookupFailed, settings: Settings) -> tuple[Result, ...]:
    """Every rule's result for one recipe: a rule that breaks costs its own answer only.

    Our own rules wait for nothing and are asked one after another; what may wait goes through the engine.
    """
    now = datetime.now(UTC)
    at_once = [c for c in checks if isinstance(c, Rule) and not c.origin] if isinstance(recipe, Recipe) else []
    asked = {id(rule) for rule in at_once}
    others = tuple(c for c in checks if id(c) not in asked)
    results: list[Result] = []
    if others:
        world = World(now=now, settings=settings)
        given: dict[Lookup[Any], Any] = {RECIPE: recipe, BUILDER: settings.builder}
        results += (await run(Selection(others), world, target=Target(), given=given)).results
    if isinstance(recipe, Recipe):
        results += [_asked(rule, recipe, Context.of(settings, now)) for rule in at_once]
    by_id = {r.check.id: r for r in results}
    return tuple(by_id[c.id] for c in in_order(checks))


def _asked(rule: Rule, recipe: Recipe, context: Context) -> Result:
    began = time.monotonic()
    try:
        answer = rule.answer(recipe, context)
    except Exception as e:  # noqa: BLE001 - a broken rule must not hide the other answers
        reason, seconds = f"{type(e).__name__}: {e}", time.monotonic() - began
        return Result(check=rule, status=Status.ERROR, seconds=seconds, reason=reason)
    seconds = time.monotonic() - began
    if isinstance(answer, NotApplicable):
        return Result(check=rule, status=Status.SKIP, seconds=seconds, reason=answer.reason)
    status, answer = judged(answer)
    return Result(check=rule, status=status, seconds=seconds, reason=answer.summary, answer=answer)


def recipe_of(target: ToLint) -> Recipe | LookupFailed:
    try:
        return reader.read(target.file, project=target.settings.project, content=target.content)
    except OSError as e:
        return LookupFailed(RECIPE, f"{target.file} can't be read: {e.strerror or e}")


async def look(
    recipe: Recipe | LookupFailed, settings: Settings, checks: Sequence[Check], *, shown_from: Path
) -> tuple[Result, ...]:
    """The results of one file; paths in them are relative to ``shown_from`` where they can be."""
    return _all_shown(await judge(checks, recipe, settings), settings.project, shown_from)


def merged(looked: Sequence[tuple[Result, ...]], checks: Sequence[Check], *, target: Target, fail_on: Status) -> Report:
    """One report: a rule's status is its worst over the files, its findings are those of all of them."""
    began = time.monotonic()
    by_check: dict[str, list[Result]] = {}
    for results in looked:
        for result in results:
            by_check.setdefault(result.check.id, []).append(result)
    results = tuple(_one(check, by_check[check.id]) for check in in_order(checks) if check.id in by_check)
    return Report(
        target=target,
        started=datetime.now(UTC),
        seconds=time.monotonic() - began + sum(r.seconds for r in results),
        results=results,
        fail_on=fail_on,
    )


def _one(check: Check, results: list[Result]) -> Result:
    seconds = sum(r.seconds for r in results)
    worst = next(s for s in WORST_FIRST if any(r.status is s for r in results))
    if len(results) == 1:
        return results[0]
    same = [r for r in results if r.status is worst]
    answers = [r.answer for r in results if r.answer is not None]
    if worst in UNANSWERED:
        more = f" (and {len(same) - 1} more files)" if len(same) > 1 else ""
        return Result(check=check, status=worst, seconds=seconds, reason=same[0].reason + more)
    if worst is Status.SKIP:
        reason = f"nothing for this rule to report in any of {len(results)} files"
        return Result(check=check, status=worst, seconds=seconds, reason=reason)
    findings = dict.fromkeys(f for answer in answers for f in answer.findings)
    unlooked = sum(r.status in UNANSWERED for r in results)
    counts = f"{counts_of(tuple(findings))}; " if findings else ""
    summary = f"{counts}looked at {len(answers)} of {len(results)} files"
    summary += f"; {unlooked} could not be looked at" if unlooked else ""
    ignored = sum(int(a.seen.get("ignored", 0)) for a in answers)
    seen = {"files": len(answers)} | ({"ignored": ignored} if ignored else {})
    summary += f"; {ignored} ignored in the files" if ignored else ""
    if worst is Status.UNKNOWN:
        summary = f"{same[0].reason}" + (f" (and {len(same) - 1} more files)" if len(same) > 1 else "")
    answer = Answer(summary=summary, seen=seen, findings=tuple(sorted(findings, key=lambda f: f.where or Where(""))))
    status = worst if worst is Status.UNKNOWN else answer.status
    return Result(check=check, status=status, seconds=seconds, reason=summary, answer=answer)


def _all_shown(results: tuple[Result, ...], project: Path, shown_from: Path) -> tuple[Result, ...]:
    if project.resolve() == shown_from.resolve():
        return results
    return tuple(_shown(r, project, shown_from) for r in results)


def _shown(result: Result, project: Path, shown_from: Path) -> Result:
    """The result with its paths as somebody in ``shown_from`` would type them."""
    if result.answer is None or not result.answer.findings:
        return result
    findings = tuple(_finding(f, project, shown_from) for f in result.answer.findings)
    return replace(result, answer=replace(result.answer, findings=findings))


def _finding(finding: Finding, project: Path, shown_from: Path) -> Finding:
    where = finding.where and replace(finding.where, path=_path(finding.where.path, project, shown_from))
    fix = finding.fix and Fix(
        edits=tuple(Edit(_path(e.path, project, shown_from), e.start, e.end, e.text) for e in finding.fix.edits),
        is_safe=finding.fix.is_safe,
    )
    return replace(finding, where=where, fix=fix)


def _path(path: str, project: Path, shown_from: Path) -> str:
    full = (project / path).resolve()
    try:
        return str(full.relative_to(shown_from.resolve()))
    except ValueError:
        return str(full)
