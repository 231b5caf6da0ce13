"""The recording of a run's app as a lookup (None where nobody asked for one), and the recipe that it fills."""

from __future__ import annotations

from preflight.app.lookups import READING
from preflight.app.model import Recipe
from preflight.discover.recorder import NotRecorded, record_file
from preflight.discover.recording import LIMIT_S, Recording
from preflight.lookups import Looked, Lookup


async def _recording(looked: Looked) -> Recording | NotRecorded | None:
    recipe = looked[READING]
    if not looked.settings.record or recipe.broken:
        return None
    looked.say("running the app's top level against a local Modal")
    return await record_file(recipe, looked.settings)


RECORDING: Lookup[Recording | NotRecorded | None] = Lookup(
    "the app's recording", _recording, needs=(READING,), timeout_s=2 * LIMIT_S, is_fixed=True
)


async def _filled(looked: Looked) -> Recipe:
    recipe, recording = looked[READING], looked.tried(RECORDING)
    if isinstance(recording, Recording):
        from preflight.discover.merge import filled

        recipe = filled(recipe, recording)
    return recipe


FILLED_RECIPE: Lookup[Recipe] = Lookup(
    "the app's recipe", _filled, needs=(READING,), tries=(RECORDING,), timeout_s=30.0
)
