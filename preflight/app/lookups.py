"""The user's app as lookups, for every rule and check that asks.

``READING`` is the text alone.  ``RECIPE`` is what the checks ask for: the text, which a run may replace by the text
filled from a recording (``World.instead``).  ``BUILDER`` is the Image Builder in force: what the settings say, which a
run that may ask Modal replaces by its answer; None where nobody has told it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preflight.app.model import Recipe
from preflight.lookups import Looked, Lookup


class NoApp(Exception):
    """There is no app file to read; the text says where we looked."""


@asynccontextmanager
async def _read(looked: Looked) -> AsyncIterator[Recipe]:
    from preflight.app import reader  # tree-sitter is loaded only when there is a file to read

    settings = looked.settings
    if settings.app is None:
        raise NoApp("no Modal app was named, and none was found in the project")
    yield reader.read(settings.project / settings.app, project=settings.project)


@asynccontextmanager
async def _recipe(looked: Looked) -> AsyncIterator[Recipe]:
    yield looked[READING]


READING: Lookup[Recipe] = Lookup("the app's text", _read, timeout_s=30.0, is_fixed=True)
RECIPE: Lookup[Recipe] = Lookup("the app's recipe", _recipe, needs=(READING,), timeout_s=30.0, is_fixed=True)


@asynccontextmanager
async def _builder(looked: Looked) -> AsyncIterator[str | None]:
    yield looked.settings.builder


BUILDER: Lookup[str | None] = Lookup("the Image Builder that the rules ask", _builder)
