"""What indexes and registries have found lately, in the user's cache folder.  What was not confirmed is not kept."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple
from datetime import datetime, timedelta
from pathlib import Path

from preflight.build.downloads import Asset, BaseImage, OnIndex
from preflight.remote.index.types import Presence, There
from preflight.store import write_whole

KEPT = {There.EXISTS: timedelta(hours=24), There.MISSING: timedelta(minutes=15)}
MOST = 500
NAME = "published.json"


class Cache:
    """One file, read once.  A file that can't be read, or written, is as good as none."""

    def __init__(self, folder: Path | None, now: datetime) -> None:
        self._file = folder / NAME if folder is not None else None
        self._now = now
        self._rows = dict(_read(self._file))

    def recall(self, target: Asset | OnIndex | BaseImage, asked_of: str) -> Presence | None:
        row = self._rows.get(_key(target, asked_of))
        try:
            there, why, at = There(row["there"]), str(row["why"]), datetime.fromisoformat(row["at"])  # type: ignore[index]
            is_fresh = timedelta(0) <= self._now - at < KEPT[there]
        except (TypeError, KeyError, ValueError):
            return None
        return Presence(there, why) if is_fresh else None

    def keep(self, found: Mapping[tuple[Asset | OnIndex | BaseImage, str], Presence]) -> None:
        """Adds the answers that may be kept; the newest ``MOST`` stay."""
        fresh = {_key(*k): s for k, s in found.items() if s.there in KEPT}
        if self._file is None or not fresh:
            return
        at = self._now.isoformat()
        self._rows = {k: r for k, r in self._rows.items() if k not in fresh}
        self._rows |= {k: {"there": s.there.value, "why": s.why, "at": at} for k, s in fresh.items()}
        with contextlib.suppress(OSError):
            write_whole(self._file, json.dumps(dict(list(self._rows.items())[-MOST:])).encode())


def _read(file: Path | None) -> dict[str, dict[str, str]]:
    if file is None:
        return {}
    try:
        rows = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return rows if isinstance(rows, dict) else {}


def _key(target: Asset | OnIndex | BaseImage, asked_of: str) -> str:
    """A digest, since an address may hold a password."""
    text = json.dumps([type(target).__name__, *astuple(target), asked_of])
    return hashlib.sha256(text.encode()).hexdigest()
