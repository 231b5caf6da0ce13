"""How the reading of a body ends, and what a name stands for after branches that the text does not decide."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

from preflight.app.interpreter.values import Alternatives, ImageValue, Value
from preflight.app.model import Unresolved
from preflight.model import Where

MOST_ALTERNATIVES = 16  # of one name: four independent conditions; past it, one of them stands for the rest, unresolved
MOST_COMBINATIONS = 64
MOST_WEIGHT = 50_000  # of one list or dict with all that is in it; a table of 10,000 rows is not a recipe


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


def either(values: list[Value], usual: int = -1, variable: str = "") -> Value:
    """One value when all are the same, alternatives otherwise.

    ``usual`` is the number of the value that holds while ``variable`` is not set, -1 when nothing is known of it.
    """
    flat: list[Value] = []
    for value in values:
        for each in values_of(value):
            if not any(each is f or _is_same(each, f) for f in flat):
                flat.append(each)
    if len(flat) == 1:
        return flat[0]
    why = Unresolved(f"conditions leave more than {MOST_ALTERNATIVES} values", Where(""))
    if len(flat) > MOST_ALTERNATIVES:
        kept = flat[: MOST_ALTERNATIVES - 1]  # no image of them is all that may be built
        flat = [v.in_doubt(why) if isinstance(v, ImageValue) and v.is_complete else v for v in kept] + [why]
    chosen: Value | Missing = values[usual] if usual >= 0 else MISSING
    if isinstance(chosen, Alternatives):
        chosen = chosen.values[chosen.usual] if chosen.usual >= 0 else MISSING
    n = next((n for n, f in enumerate(flat) if f is chosen or _is_same(chosen, f)), -1)
    return Alternatives(tuple(flat), n, variable if n >= 0 else "")


def over(act: Callable[..., Value], *operands: Value) -> Value:
    """``act`` on every combination of what the operands may be, which stays alternatives."""
    if not any(isinstance(o, Alternatives) for o in operands):
        return act(*operands)
    choices = [values_of(o) for o in operands]
    if math.prod(map(len, choices)) > MOST_COMBINATIONS:
        return Unresolved("conditions leave too many values", Where(""))
    alternatives = [o for o in operands if isinstance(o, Alternatives)]
    usual = -1
    if all(a.usual >= 0 for a in alternatives):
        usual = 0
        for operand, values in zip(operands, choices, strict=True):
            usual = usual * len(values) + (operand.usual if isinstance(operand, Alternatives) else 0)
    results = [act(*each) for each in itertools.product(*choices)]
    return either(results, usual, next((a.variable for a in alternatives if a.variable), ""))


def merged(value: Value) -> Value:
    """Alternatives of dicts as one dict: a key that differs has alternatives, None where it may be absent."""
    dicts = [v for v in values_of(value) if isinstance(v, dict)]
    if not isinstance(value, Alternatives) or len(dicts) < len(value.values):
        return value
    keys = dict.fromkeys(k for v in dicts for k in v)
    return {k: either([v.get(k) for v in dicts], value.usual, value.variable) for k in keys}


def weight(value: Value) -> int:
    """How much the value is when it is written out: parts that several places share count each time they are seen.

    Stops counting above MOST_WEIGHT.
    """
    seen = 0
    waiting: list[Value] = [value]
    while waiting and seen <= MOST_WEIGHT:
        each = waiting.pop()
        seen += 1
        if isinstance(each, str):
            seen += len(each) >> 5
        elif isinstance(each, dict):
            waiting += each.values()
            seen += len(each)
        elif isinstance(each, list | tuple):
            waiting += each
        elif isinstance(each, Alternatives):
            waiting += each.values
    return seen


def known_part(value: Value) -> Value:
    """Alternatives of lists as one list: what all of them begin with, then unresolved."""
    if isinstance(value, Alternatives) and value.usual >= 0:
        return value.default
    if not isinstance(value, Alternatives) or not all(isinstance(v, list | tuple) for v in value.values):
        return value
    common = itertools.takewhile(lambda same: all(_is_same(same[0], v) for v in same), zip(*value.values, strict=False))
    return [*(same[0] for same in common), Unresolved("what follows depends on a condition", Where(""))]


class Outcomes:
    """What a helper's ``return`` statements gave in branches, while the reading of its body went on."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.marks: list[tuple[bool, str]] = []  # is it the one while the variable is not set; "" when not known

    def add(self, value: Value, *, is_usual: bool, variable: str) -> None:
        self.values.append(value)
        self.marks.append((is_usual, variable))

    def confine(self, since: int, *, is_usual: bool, variable: str) -> None:
        """What was added since then stands in a branch of a condition: on ``variable``, or "" when not known."""
        for n in range(since, len(self.marks)):
            if not variable:
                self.marks[n] = (False, "" if self.marks[n][0] else self.marks[n][1])
            elif not is_usual:
                self.marks[n] = (False, variable)

    def either(self, last: Value) -> Value:
        """All of it, with what the body ends in."""
        usual = len(self.values)
        for n, (is_usual, variable) in enumerate(self.marks):
            if not variable or is_usual:
                usual = n if variable else -1
                break
        return either([*self.values, last], usual, self.marks[0][1] if self.marks else "")


def _is_same(one: Value | Missing, other: Value) -> bool:
    if type(one) is not type(other):
        return False
    try:
        return bool(one == other)
    except RecursionError:
        return False


def images_of(value: object) -> tuple[ImageValue, ...]:
    """The images a value may be."""
    every = value.values if isinstance(value, Alternatives) else (value,)
    return tuple(v for v in every if isinstance(v, ImageValue))
