"""The user's app as lookups, for every rule and check that asks.

``READING`` is the text alone.  ``RECIPE`` is what the checks ask for: the text, which a run may replace by the text
filled from a recording (``World.instead``).  ``BUILDER`` is the Image Builder in force: what the settings say, which a
run that may ask Modal replaces by its answer; None where nobody has told it.
"""

from __future__ import annotations

from preflight.app.model import Recipe
from preflight.lookups import Looked, Lookup


class NoApp(Exception):
    """There is no app file to read; the text says where we looked."""


async def _read(looked: Looked) -> Recipe:
    from preflight.app import reader  # tree-sitter is loaded only when there is a file to read

    settings = looked.settings
    if settings.app is None:
        raise NoApp("no Modal app was named, and none was found in the project")
    return reader.read(settings.project / settings.app, project=settings.project)


async def _recipe(looked: Looked) -> Recipe:
    return looked[READING]


async def _builder(looked: Looked) -> str | None:
    return looked.settings.builder


READING: Lookup[Recipe] = Lookup("the app's text", _read, timeout_s=30.0, is_fixed=True)
RECIPE: Lookup[Recipe] = Lookup("the app's recipe", _recipe, needs=(READING,), timeout_s=30.0, is_fixed=True)
BUILDER: Lookup[str | None] = Lookup("the Image Builder that the rules ask", _builder)
