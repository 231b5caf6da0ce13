"""A static rule: a check that reads one recipe and reports what its image will do."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from preflight.app.lookups import RECIPE
from preflight.app.model import Recipe
from preflight.lookups import Looked
from preflight.model import Answer, Check, Finding, NotApplicable, Stage
from preflight.rules.form import Context, without_ignored

Find = Callable[[Recipe, Context], Iterable[Finding]]
Applies = Callable[[Recipe], str]


def rule(*, id: str, name: str, title: str, find: Find, applies: Applies) -> Check:
    """A check for one rule.

    ``applies`` says what of the recipe this rule looks at ("3 pip steps, 1 of them mamba-ssm"), or "" when
    there is nothing of the kind, which is a skip and not a pass.  ``find`` yields what is wrong.
    """

    async def run(looked: Looked) -> Answer | NotApplicable:
        recipe = looked[RECIPE]
        subject = applies(recipe)
        if not subject:
            return NotApplicable(f"{recipe.source.path} has nothing this rule looks at")
        settings = looked.settings
        context = Context(settings.builder, settings.project, looked.now)
        kept, ignored = without_ignored(find(recipe, context), recipe, (name, id))
        seen = {"looked_at": subject} | ({"ignored": ignored} if ignored else {})
        said = subject + (f" ({ignored} ignored in the file)" if ignored else "")
        return Answer(said=said, seen=seen, findings=kept)

    return Check(id=id, name=name, title=title, stage=Stage.STATIC, needs=(RECIPE,), run=run)
