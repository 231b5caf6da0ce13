"""The one edge that every event, report and document passes on its way out: secrets are taken from all of its text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

from preflight.model import Check, Finding

T = TypeVar("T")
Text = Callable[[str], str]


def cleaned(value: T, text: Text) -> T:
    """The same with every string in it passed through ``text``.  Checks and words of the model are ours and stay."""
    found: T = _cleaned(value, text)
    return found


def _cleaned(value: Any, text: Text) -> Any:
    if isinstance(value, Check | Enum):
        return value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Finding):
        value = dataclasses.replace(value, evidence=_lines(value.evidence, text))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _cleaned(getattr(value, f.name), text) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    if isinstance(value, Mapping):
        return {_cleaned(k, text): _cleaned(v, text) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_cleaned(v, text) for v in value)
    return value


def _lines(lines: tuple[str, ...], text: Text) -> tuple[str, ...]:
    """As many as came: a secret that goes over the end of a line is found, too."""
    together = text("\n".join(lines)).split("\n")
    return tuple(together) if len(together) == len(lines) else lines
