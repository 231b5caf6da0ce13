"""Whether what the app's images download is published, as a lookup: each asked once, all at the same time.

What indexes and registries have found lately is kept in the user's cache folder; what was not confirmed is not kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec

from preflight.app.lookups import RECIPE
from preflight.build.downloads import Asset, BaseImage, Download, OnIndex, downloads
from preflight.facts.load import rows
from preflight.facts.types import REGISTRIES
from preflight.lookups import Looked, Lookup
from preflight.remote.index import api as index_api
from preflight.remote.index.api import Presence, There
from preflight.remote.index.configured import index_of_pip
from preflight.store import write_whole
from preflight.threads import in_thread

CONFIG_S = 8.0  # `pip config list`: 0.5 s alone, 4 s seen on a machine under load
MOST = 24  # questions of one run
IN_SANDBOX = "PREFLIGHT_SANDBOX_SCENARIO"  # set by `preflight sandbox` for a shell of its own
KEPT = {There.EXISTS: timedelta(hours=24), There.MISSING: timedelta(minutes=15)}
MOST_KEPT = 500


@dataclass(frozen=True)
class Published:
    download: Download
    presence: Presence


@dataclass(frozen=True, kw_only=True)
class _Kept(Presence):
    at: Annotated[datetime, msgspec.Meta(tz=True)]


async def _published(looked: Looked) -> tuple[Published, ...]:
    settings, wanted = looked.settings, downloads(looked[RECIPE])
    if settings.sandbox is not None or IN_SANDBOX in settings.environ:
        no = Presence(There.NOT_ASKED, "the sandbox asks nothing outside this machine")
        return tuple(Published(d, no) for d in wanted)
    default, file = None, None
    if any(isinstance(d.target, OnIndex) and None in d.target.indexes for d in wanted):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONFIG_S):
                default = await in_thread(index_of_pip, settings.environ)
    if settings.state is not None:
        import platformdirs

        file = platformdirs.user_cache_path("preflight") / "published.json"
    kept = await in_thread(_read, file)
    keys = [_key(d.target, default or "") for d in wanted]
    found: dict[str, Presence] = {k: kept[k] for k in keys if k in kept and _is_fresh(kept[k], looked.now)}
    unknown = {k: d for k, d in zip(keys, wanted, strict=True) if k not in found}
    asked = list(unknown)[:MOST]
    new = dict(zip(asked, await asyncio.gather(*(_ask(unknown[k], default) for k in asked)), strict=True))
    await in_thread(_keep, file, kept, new, looked.now)
    most = Presence(There.NOT_ASKED, f"more than {MOST} questions in one run")
    return tuple(Published(d, {**found, **new}.get(k, most)) for k, d in zip(keys, wanted, strict=True))


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


def _key(target: Asset | OnIndex | BaseImage, asked_of: str) -> str:
    """A digest, since an address may hold a password."""
    text = json.dumps([type(target).__name__, *astuple(target), asked_of])
    return hashlib.sha256(text.encode()).hexdigest()


def _is_fresh(kept: _Kept, now: datetime) -> bool:
    return timedelta(0) <= now - kept.at < KEPT.get(kept.there, timedelta(0))


def _read(file: Path | None) -> dict[str, _Kept]:
    """A file that can't be read is as good as none."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, _Kept]) if file is not None else {}
    except (OSError, msgspec.DecodeError, RecursionError):
        return {}


def _keep(file: Path | None, kept: dict[str, _Kept], new: Mapping[str, Presence], now: datetime) -> None:
    """Adds the answers that may be kept; the newest ``MOST_KEPT`` stay."""
    rows = {k: _Kept(s.there, s.why, at=now) for k, s in new.items() if s.there in KEPT}
    if file is not None and rows:
        whole = [*((k, row) for k, row in kept.items() if k not in rows), *rows.items()]
        with contextlib.suppress(OSError):
            write_whole(file, msgspec.json.encode(dict(whole[-MOST_KEPT:])))


PUBLISHED = Lookup("what the image downloads", _published, needs=(RECIPE,), timeout_s=CONFIG_S + index_api.EACH_S + 4.0)
