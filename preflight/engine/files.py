"""The static rules over one file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from preflight.app import reader
from preflight.app.lookups import BUILDER, RECIPE
from preflight.app.model import Recipe
from preflight.engine.folder import ToLint
from preflight.engine.run import result_of, run
from preflight.engine.select import Selection, in_order
from preflight.lookups import Lookup, LookupFailed, World
from preflight.model import Check, Result, Stage, Status, Target
from preflight.rules.form import Context, Rule
from preflight.settings import Settings


def static_rules(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that read an app's recipe and nothing that costs or leaves this machine."""
    return tuple(c for c in checks if c.stage is Stage.STATIC and RECIPE in c.needs)


async def judge(
    checks: Sequence[Check], recipe: Recipe | LookupFailed, settings: Settings, *, now: datetime | None = None
) -> tuple[Result, ...]:
    """Every rule's result for one recipe, ``now`` for all files of a run: a rule that breaks costs its own answer only.

    Our own rules wait for nothing and are asked one after another; what may wait goes through the engine.
    """
    now = now or datetime.now(UTC)
    at_once = [c for c in checks if isinstance(c, Rule) and not c.origin] if isinstance(recipe, Recipe) else []
    ids = {id(rule) for rule in at_once}
    others = tuple(c for c in checks if id(c) not in ids)
    results: list[Result] = []
    if others:
        world = World(now=now, settings=settings)
        given: dict[Lookup[Any], Any] = {RECIPE: recipe, BUILDER: settings.builder}
        results += (await run(Selection(others), world, target=Target(), given=given)).results
    if isinstance(recipe, Recipe):
        context = Context(settings.builder, settings.project, now)
        results += [_asked(rule, recipe, context) for rule in at_once]
    by_id = {r.check.id: r for r in results}
    return tuple(by_id[c.id] for c in in_order(checks))


def _asked(rule: Rule, recipe: Recipe, context: Context) -> Result:
    began = time.monotonic()
    try:
        return result_of(rule, rule.answer(recipe, context), began)
    except Exception as e:  # noqa: BLE001 - a broken rule must not hide the other answers
        reason, seconds = f"{type(e).__name__}: {e}", time.monotonic() - began
        return Result(check=rule, status=Status.ERROR, seconds=seconds, reason=reason)


def recipe_of(target: ToLint) -> Recipe | LookupFailed:
    try:
        return reader.read(target.file, project=target.settings.project, content=target.content)
    except OSError as e:
        return LookupFailed(RECIPE, f"{target.file} can't be read: {e.strerror or e}")
