"""Tables of TOML as typed rows: a key or a value that does not belong is refused, with its place."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

T = TypeVar("T")


class WrongRow(ValueError):
    """The text names the place, and what was found and wanted there."""


class Typed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of a row's type: its fields are the row's keys."""


def typed(value: object, wanted: type[T], place: str) -> T:
    """``value`` (as tomllib gives it) as ``wanted``, patterns compiled.  Raises WrongRow."""
    try:
        return msgspec.convert(value, wanted, dec_hook=_pattern)
    except msgspec.ValidationError as e:
        text, _, at = str(e).partition(" - at `$")
        raise WrongRow(f"{place}{', ' + at.strip('.`') if at else ''}: {text}") from e
    except UnicodeEncodeError as e:  # JSON can write half of a character, which is no text
        raise WrongRow(f"{place}: {e.object[e.start]!a} is half a character") from e


def _pattern(_: type, value: object) -> re.Pattern[str]:
    """The one type of a field that msgspec does not know is ``re.Pattern[str]``."""
    try:
        return re.compile(str(value))
    except re.error as e:
        raise ValueError(f"{value!r} is no regular expression: {e}") from e
