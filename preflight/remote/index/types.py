"""What an index, a release page or a registry tells about one download."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from preflight.build.downloads import Download


class There(StrEnum):
    EXISTS = "exists"
    MISSING = "does not exist"
    NOT_CONFIRMED = "not confirmed"  # nobody answered, or the answer is no answer to this
    NOT_ASKED = "not asked"  # there is nobody whom we may ask


@dataclass(frozen=True)
class Presence:
    """``why`` is empty only for EXISTS."""

    there: There
    why: str = ""


@dataclass(frozen=True)
class Published:
    download: Download
    presence: Presence
