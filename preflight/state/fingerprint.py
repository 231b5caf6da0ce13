"""What exactly a pass was about: one hash of the project's files, the settings and the versions.

A pass is remembered for this fingerprint and no other: one changed byte in one file that Modal could see,
another builder or another client, and the question is open again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from preflight.settings import GIVEN_BY_US, Settings
from preflight.state import sources
from preflight.state.sources import Watched

NO_MATTER = frozenset({"spend_max", "outputs", "watch", "record"})  # how it is looked at changes nothing of it


def of(settings: Settings, *, facts: Mapping[str, str | None], watched: Watched) -> str:
    """SHA-256 of the project's sources, its settings, what the app takes from this machine, and ``facts``.

    Raises TooLarge.
    """
    whole = hashlib.sha256()
    for name, value in sorted(facts.items()):
        _add(whole, f"fact {name}", str(value))
    for key, value in settings_of(settings).items():
        _add(whole, f"setting {key}", value)
    for name, value in sorted(sources.variables(settings.environ, watched).items()):
        _add(whole, f"variable {name}", value)
    for name, digest in sorted(files_of(settings, watched).items()):
        _add(whole, f"file {name}", digest)
    return whole.hexdigest()


def files_of(settings: Settings, watched: Watched) -> dict[str, str]:
    """Every file that counts, with its digest.  Raises TooLarge."""
    named = [settings.project / p for p in settings.watch]
    return sources.read(settings.project, watched=[*map(Path, watched.paths), *named], outputs=settings.outputs)


def settings_of(settings: Settings) -> dict[str, str]:
    """``budget.hours`` → ``Decimal('25')``: every setting that may change an answer."""
    return dict(_flat("", settings))


def can_miss(settings: Settings, watched: Watched) -> str:
    """Why a change could go unseen; "" when it could not, or the user has named the paths to watch."""
    return "" if settings.watch or not watched.unseen else watched.unseen[0]


def _add(whole: hashlib._Hash, name: str, value: str) -> None:
    """Length-prefixed, so that no two different lists of entries give the same bytes."""
    for part in (os.fsencode(name), os.fsencode(value)):
        whole.update(len(part).to_bytes(8, "big") + part)


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if prefix or field.name not in GIVEN_BY_US | NO_MATTER:
                yield from _flat(f"{prefix}.{field.name}".lstrip("."), getattr(value, field.name))
    else:
        yield prefix, repr(value)
