"""The rules: TOML tables beside this module, typed on load, refused where a field is missing or unknown."""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from preflight.diagnosis.model import Confidence
from preflight.toml_rows import Typed, typed

FOLDER = Path(__file__).parent / "rules"


class Signal(Typed, frozen=True, kw_only=True):
    """A line that decides nothing alone but tells two causes apart. What it captures, and ``says``, serves remedies."""

    id: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    says: Mapping[str, str] = {}


class Remedy(Typed, frozen=True, kw_only=True):
    """``fix`` holds where all of ``when`` do: a signal seen or a value captured, ``x=y`` that value, ``!x`` neither."""

    when: tuple[str, ...]
    fix: str


class Rule(Typed, frozen=True, kw_only=True, eq=False):
    """``tier``: 3 names the mechanism outright, 2 is a symptom, 1 is a wrapper around something else.

    ``near`` must hold in the lines around the hit, ``not_near`` must not; ``needs`` are signals of which one must
    have been seen anywhere in the log, ``unless`` signals of which none may have been. A line that ``passing``
    matches is a warning: it counts only where a failure follows it. ``concerns`` is the part of an app that the
    remedy speaks of (a key of in_app.PLACES; "" its installs). What ``is_lasting`` shows later than the step that
    did it, which went well. ``needs_last`` asks the log's end, which may be a good one: that the last losses be no
    numbers ("loss"), or that training began again ("restart"). Of ``remedies`` the first that holds goes before
    ``remedy``. ``{word}`` is what ``words`` has for the captured ``words_of``. ``examples`` are logs, each with the
    text that proves the cause. A cause that shows in ways that need different signals has one rule for each, told
    apart by ``form``.
    """

    id: str
    form: str = ""
    title: str
    phase: str
    family: str
    tier: int
    needles: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    near: re.Pattern[str] | None = None
    not_near: re.Pattern[str] | None = None
    passing: re.Pattern[str] | None = None
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    concerns: str = ""
    is_lasting: bool = False
    needs_last: str = ""
    why: str
    remedy: str
    remedies: tuple[Remedy, ...] = ()
    words: Mapping[str, str] = {}
    words_of: str = ""
    source: str
    confidence: Confidence = Confidence.HIGH
    examples: tuple[tuple[str, str], ...] = ()
    silent_on: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return (self.id, self.form)


class How(enum.StrEnum):
    """What a line says about the end of the program that wrote it. See rules/endings.toml."""

    BADLY = "badly"
    KILLED = "killed"
    WRAPPER = "wrapper"
    WELL = "well"
    ON = "on"
    NOISE = "noise"


class Ending(Typed, frozen=True, kw_only=True):
    """One way in which a line tells how a program ended, with lines that do and lines that don't."""

    how: How
    what: str
    pattern: re.Pattern[str]
    examples: tuple[str, ...]
    silent_on: tuple[str, ...]


class Lines(Typed, frozen=True, kw_only=True):
    """A line that ``harmless`` or ``caught`` matches proves nothing; one that ``retried`` or ``warned`` matches only
    where a failure follows it. What ``not_well`` matches tells of no success.
    """

    harmless: re.Pattern[str]
    caught: re.Pattern[str]
    retried: re.Pattern[str]
    warned: re.Pattern[str]
    not_well: re.Pattern[str]


class Rulebook(Typed, frozen=True, kw_only=True, eq=False):
    """All files of the folder as one."""

    rule: tuple[Rule, ...]
    signal: tuple[Signal, ...]
    ending: tuple[Ending, ...]
    lines: Lines


@cache
def rulebook() -> Rulebook:
    """Every rule and signal of the folder. Raises WrongRow."""
    whole: dict[str, object] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for name, value in tomllib.loads(path.read_text("utf-8")).items():
            if isinstance(value, list):
                value = [*whole.get(name, ()), *value]  # type: ignore[misc]
            whole[name] = value
    return typed(whole, Rulebook, FOLDER.name)


@cache
def endings() -> dict[How, re.Pattern[str]]:
    """All ways of one kind as one pattern."""
    ways = rulebook().ending
    return {kind: re.compile("|".join(f"(?:{w.pattern.pattern})" for w in ways if w.how is kind)) for kind in How}
