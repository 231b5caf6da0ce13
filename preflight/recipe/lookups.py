"""The app's recipe as a lookup, for every rule and check that asks: the text, filled from a recording where there is
one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preflight.discover.lookups import RECORDING
from preflight.discover.recording import Recording
from preflight.lookups import Looked, Lookup
from preflight.recipe.model import Recipe
from preflight.recipe.reading import READING


@asynccontextmanager
async def _recipe(looked: Looked) -> AsyncIterator[Recipe]:
    recipe, recording = looked[READING], looked.tried(RECORDING)
    if isinstance(recording, Recording):
        from preflight.discover.merge import filled

        recipe = filled(recipe, recording)
    yield recipe


RECIPE: Lookup[Recipe] = Lookup("the app's recipe", _recipe, needs=(READING,), tries=(RECORDING,), timeout_s=30.0)
