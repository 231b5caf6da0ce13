"""A static rule: a check that reads one recipe and reports what its image will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from preflight.app.lookups import BUILDER, RECIPE
from preflight.app.model import Recipe
from preflight.lookups import Looked, LookupFailed
from preflight.model import Answer, Check, Finding, NotApplicable, Severity, Stage, Where


@dataclass(frozen=True)
class Context:
    """What a rule may know beside the recipe.  ``builder`` is None when nobody has said the version."""

    builder: str | None
    project: Path
    now: datetime


Find = Callable[[Recipe, Context], Iterable[Finding]]
Applies = Callable[[Recipe], str]


def rule(*, id: str, name: str, title: str, find: Find, applies: Applies, asks_builder: bool = False) -> Check:
    """A check for one rule; ``asks_builder`` where what it finds depends on the Image Builder in force.

    ``applies`` says what of the recipe this rule looks at ("3 pip steps, 1 of them mamba-ssm"), or "" when
    there is nothing of the kind, which is a skip and not a pass.  ``find`` yields what is wrong.
    """

    async def run(looked: Looked) -> Answer | NotApplicable:
        recipe = looked[RECIPE]
        subject = applies(recipe)
        if not subject:
            return NotApplicable(f"{recipe.source.path} has nothing this rule looks at")
        settings = looked.settings
        builder = builder_of(looked) if asks_builder else settings.builder
        context = Context(builder, settings.project, looked.now)
        kept, ignored = without_ignored(find(recipe, context), recipe, (name, id))
        seen = {"looked_at": subject} | ({"ignored": ignored} if ignored else {})
        said = subject + (f" ({ignored} ignored in the file)" if ignored else "")
        return Answer(said=said, seen=seen, findings=kept)

    tries = (BUILDER,) if asks_builder else ()
    return Check(id=id, name=name, title=title, stage=Stage.STATIC, needs=(RECIPE,), tries=tries, run=run)


def builder_of(looked: Looked) -> str | None:
    """The Image Builder in force, for a check that tries ``BUILDER``; None where nobody has told it."""
    told = looked.tried(BUILDER)
    return None if isinstance(told, LookupFailed) else told


def without_ignored(
    findings: Iterable[Finding], recipe: Recipe, names: tuple[str, ...]
) -> tuple[tuple[Finding, ...], int]:
    """The findings in order of place, less those that a ``# preflight: ignore[…]`` on their line takes back."""
    kept, ignored = [], 0
    for finding in findings:
        where = finding.where
        if (
            where is not None
            and where.path == recipe.source.path
            and {*names, "*"} & {*recipe.ignores.get(where.line, ())}
        ):
            ignored += 1
        else:
            kept.append(finding)
    return tuple(sorted(kept, key=lambda f: f.where or Where(""))), ignored


def error(message: str, remedy: str, where: Where | None, **more: object) -> Finding:
    return replace(Finding(severity=Severity.ERROR, message=message, remedy=remedy, where=where), **more)  # type: ignore[arg-type]


def warning(message: str, remedy: str, where: Where | None, **more: object) -> Finding:
    return replace(Finding(severity=Severity.WARNING, message=message, remedy=remedy, where=where), **more)  # type: ignore[arg-type]


def advice(message: str, remedy: str, where: Where | None, **more: object) -> Finding:
    return replace(Finding(severity=Severity.INFO, message=message, remedy=remedy, where=where), **more)  # type: ignore[arg-type]
