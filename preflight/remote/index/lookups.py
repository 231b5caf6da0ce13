"""Whether what the app's images download is published, as a lookup: each asked once, all at the same time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from preflight.app.lookups import RECIPE
from preflight.build.downloads import Download, OnIndex, downloads
from preflight.facts.load import rows
from preflight.facts.types import REGISTRIES
from preflight.lookups import Looked, Lookup
from preflight.remote.index import api as index_api
from preflight.remote.index.cache import Cache
from preflight.remote.index.configured import index_of_pip
from preflight.remote.index.types import Presence, Published, There
from preflight.threads import in_thread

CONFIG_S = 8.0  # `pip config list`: 0.5 s alone, 4 s seen on a machine under load
MOST = 24  # questions of one run
IN_SANDBOX = "PREFLIGHT_SANDBOX_SCENARIO"  # set by `preflight sandbox` for a shell of its own


@asynccontextmanager
async def _published(looked: Looked) -> AsyncIterator[tuple[Published, ...]]:
    settings = looked.settings
    wanted = downloads(looked[RECIPE])
    if settings.sandbox is not None or IN_SANDBOX in settings.environ:
        no = Presence(There.NOT_ASKED, "the sandbox asks nothing outside this machine")
        yield tuple(Published(d, no) for d in wanted)
        return
    default = None
    if any(_is_on_default(d) for d in wanted):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONFIG_S):
                default = await in_thread(index_of_pip, settings.environ)
    folder = None
    if settings.state is not None:
        import platformdirs

        folder = platformdirs.user_cache_path("preflight")
    cache = await in_thread(Cache, folder, looked.now)
    known = [cache.recall(d.target, default or "") for d in wanted]
    unknown = [d for d, a in zip(wanted, known, strict=True) if a is None]
    answers = await asyncio.gather(*(_ask(d, default) for d in unknown[:MOST]))
    new = {d.target: s for d, s in zip(unknown, answers, strict=False)}
    await in_thread(cache.keep, {(t, default or ""): s for t, s in new.items()})
    most = Presence(There.NOT_ASKED, f"more than {MOST} questions in one run")
    yield tuple(Published(d, a or new.get(d.target, most)) for d, a in zip(wanted, known, strict=True))


async def _ask(download: Download, default_index: str | None) -> Presence:
    apis = {row.name: row.api for row in rows(REGISTRIES)}
    limit = asyncio.timeout(index_api.EACH_S)
    try:
        async with limit:
            return await in_thread(index_api.ask, download.target, default_index=default_index, apis=apis)
    except TimeoutError:
        if not limit.expired():
            raise
        return Presence(There.NOT_CONFIRMED, f"no answer in {index_api.EACH_S:g} s")


def _is_on_default(download: Download) -> bool:
    return isinstance(download.target, OnIndex) and None in download.target.indexes


PUBLISHED: Lookup[tuple[Published, ...]] = Lookup(
    "what the image downloads",
    _published,
    needs=(RECIPE,),
    timeout_s=CONFIG_S + index_api.EACH_S + 4.0,
)
