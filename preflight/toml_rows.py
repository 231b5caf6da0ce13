"""Tables of TOML as typed rows: a key or a value that does not belong is refused, with its place."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


class WrongRow(ValueError):
    """The text names the place, and what was found and wanted there."""


class Typed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of a row's type: its fields are the row's keys."""


def typed(value: object, wanted: type[T], place: str) -> T:
    """``value`` (as tomllib gives it) as ``wanted``.  Raises WrongRow."""
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as e:
        text, _, at = str(e).partition(" - at `$")
        raise WrongRow(f"{place}{', ' + at.strip('.`') if at else ''}: {text}") from e
