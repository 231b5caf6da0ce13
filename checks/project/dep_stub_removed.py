"""Nothing uses `modal.Stub`.

Looks at
    `modal.Stub` and `from modal import Stub`.
Why it matters
    It was renamed to `modal.App` and removed in 1.0.0: an error when the file is imported.
Example
    before   stub = modal.Stub("train")
    after    stub = modal.App("train")
Source
    Modal Python release notes, 1.0.0.
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Recipe,
    Use,
    counted,
    error,
    renamed_everywhere,
    rule,
    syntax_of,
    uses_of_modal,
)


def applies(recipe: Recipe) -> str:
    return counted(len(uses_of_modal(recipe)), "use of Modal's names", "uses of Modal's names")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    uses = [u for u in uses_of_modal(recipe) if _is_stub(u)]
    if syntax is None or any(u.is_guarded for u in uses):
        return
    fix = renamed_everywhere(recipe, uses, "Stub", "App", is_safe=True)
    for use in uses:
        yield error(
            "modal.Stub was removed in 1.0.0",
            "write modal.App",
            syntax.where(use.node),
            why="an error when the file is imported: nothing of the app runs",
            fix=fix,
        )


def _is_stub(use: Use) -> bool:
    return use.name.split(".")[1:2] in (["Stub"], ["stub"])


CHECK = rule(
    id="PRJ740",
    name="dep-stub-removed",
    title="nothing uses modal.Stub",
    find=find,
    applies=applies,
)
