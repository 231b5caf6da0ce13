"""The app's file is Python that can be read.

Looks at
    Whether the file decodes and parses with the Python that runs preflight.
Why it matters
    A file that does not parse can't be imported: nothing of the app runs, and no other rule can look at it.
Example
    before   @app.function(gpu="A100"
    after    @app.function(gpu="A100")
Source
    Python's own parser; the line and the words are its.
"""

import platform
from collections.abc import Iterator

from preflight.api import Context, Finding, Recipe, counted, error, rule


def applies(recipe: Recipe) -> str:
    return counted(recipe.source.text.count("\n") + 1, "line")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    if recipe.broken:
        yield error(
            f"{recipe.source.path} does not parse: {recipe.broken} (Python {platform.python_version()})",
            "mend the line; if it is newer Python than this, run preflight with that Python",
            recipe.broken_at,
            why="it can't be imported, and no other rule has looked at it",
        )


CHECK = rule(
    id="PRJ970",
    name="app-syntax",
    title="the app's file is Python that can be read",
    find=find,
    applies=applies,
)
