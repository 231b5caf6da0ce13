"""The recording of a run's app as a lookup; None where nobody asked for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preflight.discover.recorder import LIMIT_S, NotRecorded, record_file
from preflight.discover.recording import Recording
from preflight.lookups import Looked, Lookup
from preflight.recipe.reading import READING


@asynccontextmanager
async def _recording(looked: Looked) -> AsyncIterator[Recording | NotRecorded | None]:
    recipe = looked[READING]
    if not looked.settings.record or recipe.broken:
        yield None
    else:
        looked.say("running the app's top level against a local Modal")
        yield await record_file(recipe, looked.settings)


RECORDING: Lookup[Recording | NotRecorded | None] = Lookup(
    "the app's recording", _recording, needs=(READING,), timeout_s=2 * LIMIT_S, answered_by="PRJ980"
)
