"""Which running apps are forgotten ones: shared by the check and by `preflight apps`."""

from __future__ import annotations

from datetime import datetime

from preflight.remote.modal_types import App
from preflight.settings import StaleAppsSettings, parse_age


def is_stale(app: App, settings: StaleAppsSettings, now: datetime) -> bool:
    """A run, not a deployment, that is older than the setting.  One of unknown age is not called stale."""
    limit = parse_age(settings.older_than)
    return is_run(app, settings) and app.created is not None and now - app.created > limit


def is_run(app: App, settings: StaleAppsSettings) -> bool:
    """Neither deployed nor ended, and not one that the settings say is meant to be there."""
    is_meant = app.description in settings.ignore or app.id in settings.ignore
    return app.state not in ("deployed", "stopped", "stopping", "unknown") and not is_meant


def age_text(created: datetime | None, now: datetime) -> str:
    """``3 d``, ``5 h``, ``12 min``; ``an unknown time`` when Modal does not say."""
    if created is None:
        return "an unknown time"
    seconds = max(0.0, (now - created).total_seconds())
    if seconds >= 2 * 86400:
        return f"{seconds / 86400:.0f} d"
    return f"{seconds / 3600:.0f} h" if seconds >= 2 * 3600 else f"{seconds / 60:.0f} min"
