"""What a run stands on, and what of it is not as it was at the last pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Group(StrEnum):
    """Facts that a run stands on; a check names those it is about, likeliest cause of its failure first."""

    BUILDER = "builder"
    PINS = "pins"
    STEPS = "image steps"
    GPU = "gpu"
    CLIENT = "client"
    FUNCTIONS = "functions"
    SECRETS = "secrets"
    VARIABLES = "variables"
    ACCOUNT = "account"
    SETTINGS = "settings"
    RATES = "rates"
    FILES = "files"
    VERSIONS = "versions"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A fact that is not what it was: ``before`` or ``after`` is None where it was not there."""

    group: str
    name: str
    before: str | None
    after: str | None

    @property
    def text(self) -> str:
        if self.group == "files":  # their values are digests, which tell nobody anything
            how = "new" if self.before is None else "gone" if self.after is None else "changed"
            return f"file {self.name} is {how}"
        if self.before is None:
            return f"{self.group}: {self.name} is new: {self.after}"
        if self.after is None:
            return f"{self.group}: {self.name} is gone; it was {self.before}"
        return f"{self.group}: {self.name}: {self.before} → {self.after}"


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What differs from the last pass (``since``, None when there is none), most telling first.

    ``note`` says what of the kept could not be read.
    """

    since: datetime | None = None
    changes: tuple[Change, ...] = ()
    note: str = ""
