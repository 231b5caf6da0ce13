"""The rules: TOML tables beside this module, typed on load, refused where a field is missing or unknown."""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from preflight.diagnosis.model import Confidence

FOLDER = Path(__file__).parent / "rules"


class RuleError(ValueError):
    """A rule file that can't be used: which file, which rule, which field."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A line that decides nothing alone but tells two causes apart. What it captures, and ``says``, serves remedies."""

    id: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    says: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """``tier``: 3 names the mechanism outright, 2 is a symptom, 1 is a wrapper around something else.

    ``near`` must hold in the lines around the hit, ``not_near`` must not; ``needs`` are signals of which one must
    have been seen anywhere in the log, ``unless`` signals of which none may have been. A line that ``passing``
    matches is a warning: it counts only where a failure follows it. ``concerns`` is the part of an app that the
    remedy speaks of (a key of in_app.PLACES; "" its installs). What ``is_lasting`` shows later than the step that
    did it, which went well. ``needs_last`` asks the log's end, which may be a good one: that the last losses be no
    numbers ("loss"), or that training began again ("restart"). ``remedies``: the first of which all conditions hold
    goes before ``remedy``: a signal seen or a value captured, ``x=y`` that value, ``!x`` the contrary. ``{word}`` is
    what ``words`` has for the captured ``words_of``. A cause that shows in ways that need different signals has one
    rule for each, told apart by ``form``.
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
    remedies: tuple[tuple[tuple[str, ...], str], ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    words_of: str = ""
    source: str
    confidence: Confidence = Confidence.HIGH
    examples: tuple[tuple[str, str], ...] = ()
    silent_on: tuple[str, ...] = ()

    @cached_property
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


@dataclass(frozen=True, kw_only=True)
class Ending:
    """One way in which a line tells how a program ended, with lines that do and lines that don't."""

    how: How
    what: str
    pattern: re.Pattern[str]
    examples: tuple[str, ...]
    silent_on: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """A line that ``harmless`` or ``caught`` matches proves nothing; one that ``retried`` or ``warned`` matches only
    where a failure follows it.
    """

    rules: tuple[Rule, ...]
    signals: tuple[Signal, ...]
    ways: tuple[Ending, ...]
    harmless: re.Pattern[str]
    caught: re.Pattern[str]
    retried: re.Pattern[str]
    warned: re.Pattern[str]
    not_well: re.Pattern[str]

    @cached_property
    def endings(self) -> dict[How, re.Pattern[str]]:
        """All ways of one kind as one pattern."""
        return {
            kind: re.compile("|".join(f"(?:{w.pattern.pattern})" for w in self.ways if w.how is kind)) for kind in How
        }


@cache
def rulebook() -> Rulebook:
    """Every rule and signal of the folder. Raises RuleError."""
    rules: list[Rule] = []
    signals: list[Signal] = []
    ways: list[Ending] = []
    lines: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except tomllib.TOMLDecodeError as e:
            raise RuleError(f"{path.name}: {e}") from e
        rules += [_rule(row, path.name) for row in table.get("rule", [])]
        signals += [_signal(row, path.name) for row in table.get("signal", [])]
        ways += [_ending(row, path.name) for row in table.get("ending", [])]
        lines |= table.get("lines", {})
    return Rulebook(
        rules=tuple(rules),
        signals=tuple(signals),
        ways=tuple(ways),
        **{name: re.compile(lines[name]) for name in ("harmless", "caught", "retried", "warned", "not_well")},
    )


def _rule(row: dict[str, Any], file: str) -> Rule:
    name = f"{file}: rule {row.get('id', '(without id)')}"
    known = {f.name for f in fields(Rule)}
    if unknown := sorted(set(row) - known):
        raise RuleError(f"{name}: unknown fields {', '.join(unknown)}")
    try:
        return Rule(
            **{k: row[k] for k in ("id", "title", "phase", "family", "tier", "why", "remedy", "source")},
            form=row.get("form", ""),
            needles=tuple(row["needles"]),
            patterns=tuple(re.compile(p) for p in row["patterns"]),
            near=re.compile(row["near"]) if "near" in row else None,
            not_near=re.compile(row["not_near"]) if "not_near" in row else None,
            passing=re.compile(row["passing"]) if "passing" in row else None,
            needs=tuple(row.get("needs", ())),
            unless=tuple(row.get("unless", ())),
            explains=tuple(row.get("explains", ())),
            concerns=row.get("concerns", ""),
            is_lasting=row.get("is_lasting", False),
            needs_last=row.get("needs_last", ""),
            words=row.get("words", {}),
            words_of=row.get("words_of", ""),
            remedies=tuple((tuple(r["when"]), r["fix"]) for r in row.get("remedies", ())),
            confidence=Confidence(row.get("confidence", "high")),
            examples=tuple((log, match) for log, match in row.get("examples", ())),
            silent_on=tuple(row.get("silent_on", ())),
        )
    except (KeyError, ValueError, re.error) as e:
        raise RuleError(f"{name}: {type(e).__name__}: {e}") from e


def _ending(row: dict[str, Any], file: str) -> Ending:
    try:
        return Ending(
            how=How(row["how"]),
            what=row["what"],
            pattern=re.compile(row["pattern"]),
            examples=tuple(row["examples"]),
            silent_on=tuple(row["silent_on"]),
        )
    except (KeyError, ValueError, re.error) as e:
        raise RuleError(f"{file}: ending {row.get('what', '(without what)')}: {type(e).__name__}: {e}") from e


def _signal(row: dict[str, Any], file: str) -> Signal:
    try:
        return Signal(
            id=row["id"], needles=tuple(row["needles"]), pattern=re.compile(row["pattern"]), says=row.get("says", {})
        )
    except (KeyError, re.error) as e:
        raise RuleError(f"{file}: signal {row.get('id', '(without id)')}: {type(e).__name__}: {e}") from e
