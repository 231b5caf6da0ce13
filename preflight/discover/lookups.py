"""The recording of a run's app as a lookup (None where nobody asked for one), and the recipe that it fills."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preflight.app.lookups import READING
from preflight.app.model import Recipe
from preflight.discover.recorder import NotRecorded, record_file
from preflight.discover.recording import LIMIT_S, Recording
from preflight.lookups import Looked, Lookup


@asynccontextmanager
async def _recording(looked: Looked) -> AsyncIterator[Recording | NotRecorded | None]:
    recipe = looked[READING]
    if not looked.settings.record or recipe.broken:
        yield None
    else:
        looked.say("running the app's top level against a local Modal")
        yield await record_file(recipe, looked.settings)


RECORDING: Lookup[Recording | NotRecorded | None] = Lookup(
    "the app's recording", _recording, needs=(READING,), timeout_s=2 * LIMIT_S, is_fixed=True
)


@asynccontextmanager
async def _filled(looked: Looked) -> AsyncIterator[Recipe]:
    recipe, recording = looked[READING], looked.tried(RECORDING)
    if isinstance(recording, Recording):
        from preflight.discover.merge import filled

        recipe = filled(recipe, recording)
    yield recipe


FILLED_RECIPE: Lookup[Recipe] = Lookup(
    "the app's recipe", _filled, needs=(READING,), tries=(RECORDING,), timeout_s=30.0
)
