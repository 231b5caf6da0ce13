"""Web endpoints have their name of today.

Looks at
    `modal.web_endpoint`, as a decorator or imported.
Why it matters
    It was renamed to `fastapi_endpoint`: an error when the file is imported.  The image must then hold fastapi.
Example
    before   @modal.web_endpoint(method="POST")
    after    @modal.fastapi_endpoint(method="POST")
Source
    modal 1.6.4 _partial_function.py: "has been renamed to `@modal.fastapi_endpoint`".
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Recipe,
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
    uses = [u for u in uses_of_modal(recipe) if u.name == "modal.web_endpoint"]
    if syntax is None or any(u.is_guarded for u in uses):
        return
    fix = renamed_everywhere(recipe, uses, "web_endpoint", "fastapi_endpoint", is_safe=True)
    is_used = any(not u.is_import for u in uses)
    for use in uses:
        if use.is_import and is_used:
            continue  # the name is still there to import: its call is what fails
        yield error(
            "modal.web_endpoint was renamed to modal.fastapi_endpoint",
            "write modal.fastapi_endpoint, and install fastapi[standard] in the image",
            syntax.where(use.node),
            why="an error when the file is imported: nothing of the app runs",
            fix=fix,
        )


CHECK = rule(
    id="PRJ752",
    name="dep-web-endpoint",
    title="web endpoints have their name of today",
    find=find,
    applies=applies,
)
