"""Nothing uses `@modal.build`.

Looks at
    `modal.build`, as a decorator or imported.
Why it matters
    It was removed in 1.1.0: an error when the file is imported.
Example
    before   @modal.build()
             def download(self): ...
    after    image = image.run_function(download)   # or a Volume that @modal.enter() fills
Source
    Modal Python release notes, 1.1.0.
"""

from collections.abc import Iterator

from preflight.api import Context, Finding, Recipe, counted, error, rule, syntax_of, uses_of_modal


def applies(recipe: Recipe) -> str:
    return counted(len(uses_of_modal(recipe)), "use of Modal's names", "uses of Modal's names")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    for use in uses_of_modal(recipe):
        if syntax is not None and use.name.split(".")[1:2] == ["build"] and not use.is_guarded:
            yield error(
                "modal.build was removed in 1.1.0",
                "put weights on a Volume and load them in @modal.enter(), or use image.run_function",
                syntax.where(use.node),
                why="an error when the file is imported: nothing of the app runs",
            )


CHECK = rule(
    id="PRJ744",
    name="dep-modal-build",
    title="nothing uses modal.build",
    find=find,
    applies=applies,
)
