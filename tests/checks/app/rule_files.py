"""What a file of tests/data/rules says of itself: the rule it is about, and the lines where that rule must speak."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from preflight.app import reader
from preflight.app.lookups import RECIPE
from preflight.app.model import Recipe
from preflight.engine import builtin
from preflight.model import Check, Finding, Stage
from preflight.settings import Settings
from preflight.testing import run_checks

DATA = Path(__file__).parents[2] / "data" / "rules" / "app"
EXPECT = re.compile(r"#\s*expect:\s*([a-z0-9-]+)")
BUILDER = re.compile(r"^# builder: (\S+)", re.MULTILINE)


@cache
def rules() -> dict[str, Check]:
    """Every check that needs the recipe and nothing else, by name."""
    return {c.name: c for c in builtin.checks() if c.stage is Stage.STATIC and c.needs == (RECIPE,)}


def read(file: Path) -> Recipe:
    return reader.read(file, project=file.parent)


def findings(check: Check, recipe: Recipe, *, project: Path) -> tuple[Finding, ...]:
    """What the rule finds, through the engine.  A rule that breaks is an error here too."""
    builder = BUILDER.search(recipe.source.text)
    settings = Settings(project=project, app=recipe.source.path, builder=builder[1] if builder else None)
    result = run_checks(check, given={RECIPE: recipe}, settings=settings).results[0]
    assert result.status not in ("error", "blocked"), result.reason
    return result.findings


def expected(file: Path) -> list[int]:
    """Lines with `# expect: <rule of the folder>`."""
    lines = file.read_text("utf-8").splitlines()
    return [n for n, line in enumerate(lines, 1) for m in EXPECT.finditer(line) if m[1] == file.parent.name]
