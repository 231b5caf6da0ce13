"""Which running apps are forgotten ones: shared by the check and by `preflight apps`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from preflight.remote.modal_types import App
from preflight.settings import StaleAppsSettings

AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_age(text: str) -> timedelta:
    """``90m``, ``24h``, ``2d``.  Raises ValueError that says what was wanted."""
    found = AGE.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is not an age; wanted like 90m, 24h or 2d")
    return timedelta(seconds=float(found.group(1)) * UNITS[found.group(2)])


def is_stale(app: App, settings: StaleAppsSettings, now: datetime) -> bool:
    """A run, not a deployment, that is older than the setting.  One of unknown age is not called stale.

    Raises ValueError when the setting is no age.
    """
    limit = parse_age(settings.older_than)
    if app.state in ("deployed", "stopped", "stopping") or app.created is None:
        return False
    return app.description not in settings.ignore and app.id not in settings.ignore and now - app.created > limit


def age_text(created: datetime | None, now: datetime) -> str:
    """``3 d``, ``5 h``, ``12 min``; ``an unknown time`` when Modal does not say."""
    if created is None:
        return "an unknown time"
    seconds = max(0.0, (now - created).total_seconds())
    if seconds >= 2 * 86400:
        return f"{seconds / 86400:.0f} d"
    return f"{seconds / 3600:.0f} h" if seconds >= 2 * 3600 else f"{seconds / 60:.0f} min"
