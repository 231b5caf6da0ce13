"""The app's text as a lookup: read once a run, before a recording may fill what it leaves open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preflight.lookups import Looked, Lookup
from preflight.recipe.model import Recipe


class NoApp(Exception):
    """There is no app file to read; the text says where we looked."""


@asynccontextmanager
async def _read(looked: Looked) -> AsyncIterator[Recipe]:
    from preflight.recipe import parse  # tree-sitter is loaded only when there is a file to read

    settings = looked.settings
    if settings.app is None:
        raise NoApp("no Modal app was named, and none was found in the project")
    yield parse.read(settings.project / settings.app, project=settings.project)


READING: Lookup[Recipe] = Lookup("the app's recipe", _read, timeout_s=30.0)
