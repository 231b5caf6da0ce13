"""How the reading of a body ends, and what a name stands for after branches that the text does not decide."""

from __future__ import annotations

from preflight.model import Where
from preflight.recipe.model import Unresolved
from preflight.recipe.values import Alternatives, ImageValue, Value

MOST_ALTERNATIVES = 16  # of one name: four independent conditions; past it, one of them stands for the rest, unresolved


class TooMuch(Exception):
    """The bound on work is reached: what is left of the file is unresolved."""


class Returned(Exception):
    """A ``return`` of the helper that is being read."""

    def __init__(self, value: Value) -> None:
        self.value = value


class Skipped(Exception):
    """``continue`` (``ends_loop`` False) or ``break``."""

    def __init__(self, *, ends_loop: bool) -> None:
        self.ends_loop = ends_loop


class Raised(Exception):
    """A ``raise``: what follows in this body never runs."""


class Missing:
    """The mark of a name that a branch does not bind."""


MISSING = Missing()


def values_of(value: Value) -> tuple[Value, ...]:
    return value.values if isinstance(value, Alternatives) else (value,)


def either(values: list[Value]) -> Value:
    """One value when all are the same, alternatives otherwise."""
    flat: list[Value] = []
    for value in values:
        for each in values_of(value):
            if not any(each is f or _is_same(each, f) for f in flat):
                flat.append(each)
    if len(flat) == 1:
        return flat[0]
    if len(flat) > MOST_ALTERNATIVES:
        why = Unresolved(f"conditions leave more than {MOST_ALTERNATIVES} values", Where(""))
        kept = [_in_doubt(v, why) for v in flat[: MOST_ALTERNATIVES - 1]]
        return Alternatives((*kept, why))
    return Alternatives(tuple(flat))


def _is_same(one: Value, other: Value) -> bool:
    if type(one) is not type(other):
        return False
    try:
        return bool(one == other)
    except RecursionError:
        return False


def _in_doubt(value: Value, why: Unresolved) -> Value:
    """One image of more than can be kept: it is not all that may be built."""
    if isinstance(value, ImageValue) and value.is_complete:
        return ImageValue(value.last, value.before, value.source, False, (*value.unresolved, why))
    return value


def images_of(value: Value) -> tuple[ImageValue, ...]:
    """The images a value may be."""
    return tuple(v for v in values_of(value) if isinstance(v, ImageValue))
