"""The examples of the rules: files below tests/data/rules/<rule>/, and what every rule finds in every one of them.

A line that ends in ``# expect: <rule>`` must have a finding of that rule, and no other line may.  A file whose name
begins with ``good`` has no such line.  ``# builder: 2025.06`` gives the Image Builder.  Below the code stands what
the rule of the folder says, as comments that are no part of the example; ``UPDATE=1 pytest tests/rules`` writes it.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from preflight.app import reader
from preflight.app.model import Recipe
from preflight.engine import builtin
from preflight.engine.files import judge, static_rules
from preflight.facts import wheels
from preflight.facts.gpus import gpu_names
from preflight.facts.modal_api import modal_api
from preflight.facts.torch import newest_torch
from preflight.facts.wheels import TABLE_OF
from preflight.model import Check, Finding, Result
from preflight.settings import Settings

DATA = Path(__file__).parents[1] / "data" / "rules"
FILES = tuple(f for f in sorted(DATA.glob("*/*.py")) if f.name.startswith(("bad", "good", "example")))
RECIPES = tuple(sorted(DATA.glob("recipes/*.py")))
EXPECT = re.compile(r"#\s*expect:\s*([a-z0-9-]+)")
BUILDER = re.compile(r"^# builder: (\S+)", re.MULTILINE)
BANNED = re.compile(r"\b(?:please|invalid|something went wrong|see the log|oops|sorry|simply|just|anew|mend)\b", re.I)
MARK = "\n# What the rule says of this file:\n"


def is_updating() -> bool:
    return bool(os.environ.get("UPDATE"))


@cache
def rules() -> dict[str, Check]:
    return {c.name: c for c in static_rules(builtin.checks()) if c.id[:3] in ("IMG", "RES", "PRJ")}


def content(file: Path) -> bytes:
    """The example without what is said of it."""
    return file.read_bytes().partition(MARK.encode())[0] + b""


def written(file: Path) -> str:
    return file.read_text("utf-8").partition(MARK)[2]


@cache
def read(file: Path) -> Recipe:
    return reader.read(file, project=file.parent, content=content(file))


@cache
def results(file: Path) -> dict[str, Result]:
    """The result of every rule, by its name: each file is looked at once for all tests."""
    return {r.check.name: r for r in judged(tuple(rules().values()), read(file), file)}


def judged(checks: Sequence[Check], recipe: Recipe, file: Path) -> tuple[Result, ...]:
    builder = BUILDER.search(recipe.source.text)
    settings = Settings(project=file.parent, app=recipe.source.path, builder=builder[1] if builder else None)
    return asyncio.run(judge(checks, recipe, settings))


def findings(file: Path, rule: str) -> tuple[Finding, ...]:
    return results(file)[rule].findings


def expected(file: Path) -> list[int]:
    """Lines that are marked with the rule of the folder."""
    lines = content(file).decode("utf-8-sig", "replace").splitlines()
    return [n for n, line in enumerate(lines, 1) if file.parent.name in EXPECT.findall(line)]


def described(file: Path, found: tuple[Finding, ...]) -> str:
    """All that a user sees of the findings, as comments.  What a table gives, or this Python, has a name here."""
    lines = (line for f in found for line in _lines(read(file).source.text, f))
    return "".join(f"# {_named(line)}\n" for line in lines)


def _named(line: str) -> str:
    line = re.sub(r"\(read \d{4}-\d\d-\d\d\)", "(read DATE)", line)
    for value, name in _today().items():
        line = re.sub(rf"(?<![\w.]){re.escape(value)}(?![\w.]*\d)", name, line)
    return line


@cache
def _today() -> dict[str, str]:
    """What a new release changes: its row is all that a release needs."""
    newest = {f"{p} {row.version}": f"{p} NEWEST" for p in TABLE_OF if (row := wheels.newest(p)) is not None}
    torch = newest_torch()
    return {
        **newest,
        torch.patches[-1]: "NEWEST",
        f"torch{torch.minor}": "torchNEWEST",
        f"modal {modal_api().version}": "modal VERSION",
        f"Python {platform.python_version()}": "Python VERSION",
        ", ".join(gpu_names()): "GPU NAMES",
    }


def _lines(text: str, finding: Finding) -> Iterator[str]:
    where = finding.where
    yield f"{f'{where.line}:{where.column}' if where else '-'} {finding.severity}: {finding.message}"
    yield from (f"    evidence: {line}" for line in finding.evidence)
    if finding.why:
        yield f"    why: {finding.why}"
    yield f"    remedy: {finding.remedy}"
    if finding.fix is not None:
        yield f"    fix ({'safe' if finding.fix.is_safe else 'unsafe'}):"
        for edit in finding.fix.edits:
            line = text.count("\n", 0, edit.start) + 1
            yield f"        line {line}: {text[edit.start : edit.end]!r} -> {edit.text!r}"
