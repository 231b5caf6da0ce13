"""Which of all checks a run asks, and why the others are left out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from preflight.model import Check, Stage

BEFORE_PAID = 6.5  # between project-lint (6) and smoke-test (7)


class Entry(Protocol):
    """What of a check decides its place and answers to a name: of one that is imported, or only listed."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def stage(self) -> Stage: ...
    @property
    def step(self) -> int | None: ...
    @property
    def has_own_line(self) -> bool: ...


E = TypeVar("E", bound=Entry)


class UnknownCheck(Exception):
    """A name on the command line or in the configuration that no check has."""


@dataclass(frozen=True)
class Selection:
    """``chosen`` are asked; ``left_out`` are shown as skipped, with the reason.  ``is_named``: by ``--only``."""

    chosen: tuple[Check, ...]
    left_out: tuple[tuple[Check, str], ...] = ()
    is_named: bool = False

    @property
    def everything(self) -> tuple[Check, ...]:
        return (*self.chosen, *(check for check, _ in self.left_out))


def in_order(checks: Iterable[E]) -> tuple[E, ...]:
    """Checklist order.  Checks without a step stand before the smoke test, the first step that costs money: those with
    a line of their own, then the other static rules."""
    return tuple(sorted(checks, key=lambda c: (c.step or BEFORE_PAID, is_rule(c) or c.stage is Stage.PAID, c.id)))


def is_rule(check: Entry) -> bool:
    """One of the many that share a line where nothing is wrong."""
    return check.step is None and check.stage is Stage.STATIC and not check.has_own_line


def find(checks: Sequence[E], wanted: str) -> tuple[E, ...]:
    """The checks that ``wanted`` means: an id, a name, a step, or a family's letters (IMG).  Raises UnknownCheck."""
    key = wanted.strip()
    if not key:
        raise UnknownCheck("an empty name names no check; is a variable unset?")
    exact = [c for c in checks if key.lower() == c.name or key.upper() == c.id or key == str(c.step)]
    family = [c for c in checks if key.isalpha() and c.id.rstrip("0123456789") == key.upper()]
    if exact or family:
        return tuple(exact or family)
    known = [c.name for c in checks] + [c.id for c in checks]
    near = difflib.get_close_matches(key.lower(), known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "`preflight list` names them"
    raise UnknownCheck(f"no check is called {key!r}; {hint}")


def select(
    checks: Sequence[Check], *, only: Sequence[str] = (), skip: Sequence[str] = (), stage: Stage = Stage.PAID
) -> Selection:
    """``only`` overrides the stage, ``skip`` overrides ``only``.  Raises UnknownCheck."""
    skipped = {c.id for name in skip for c in find(checks, name)}
    named = {c.id for name in only for c in find(checks, name)}
    allowed = list(Stage)[: list(Stage).index(stage) + 1]
    chosen, left_out = [], []
    for check in in_order(checks):
        if only and check.id not in named:
            continue
        if check.id in skipped:
            left_out.append((check, "left out by --skip or the configuration"))
        elif not only and check.stage not in allowed:
            left_out.append((check, f"left out by --stage {stage}: it is a {check.stage} check"))
        else:
            chosen.append(check)
    return Selection(tuple(chosen), tuple(left_out), is_named=bool(only))
