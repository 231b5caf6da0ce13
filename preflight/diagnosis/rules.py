"""The rules: TOML tables beside this module, typed on load, refused where a field is missing or unknown."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from preflight.diagnosis.model import Confidence

FOLDER = Path(__file__).parent / "rules"


class RuleError(ValueError):
    """A rule file that can't be used: which file, which rule, which field."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A line that decides nothing alone but tells two causes apart. Its captures serve every remedy."""

    id: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """``tier``: 3 names the mechanism outright, 2 is a symptom, 1 is a wrapper around something else.

    ``near`` must hold in the lines around the hit, ``not_near`` must not; ``needs`` are signals of which one must
    have been seen anywhere in the log, ``unless`` signals of which none may have been. A line that ``passing``
    matches is a warning: it counts only where a failure follows it. A cause that
    shows in ways that need different signals has one rule for each, told apart by ``form``.
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
    why: str
    remedy: str
    source: str
    confidence: Confidence = Confidence.HIGH
    examples: tuple[tuple[str, str], ...] = ()
    silent_on: tuple[str, ...] = ()

    @cached_property
    def key(self) -> tuple[str, str]:
        return (self.id, self.form)


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """A line that ``harmless`` matches proves nothing; one that ``retried`` matches only where a failure follows."""

    rules: tuple[Rule, ...]
    signals: tuple[Signal, ...]
    harmless: re.Pattern[str]
    retried: re.Pattern[str]


@cache
def rulebook() -> Rulebook:
    """Every rule and signal of the folder. Raises RuleError."""
    rules: list[Rule] = []
    signals: list[Signal] = []
    lines: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except tomllib.TOMLDecodeError as e:
            raise RuleError(f"{path.name}: {e}") from e
        rules += [_rule(row, path.name) for row in table.get("rule", [])]
        signals += [_signal(row, path.name) for row in table.get("signal", [])]
        lines |= table.get("lines", {})
    return Rulebook(
        rules=tuple(rules),
        signals=tuple(signals),
        harmless=re.compile(lines["harmless"]),
        retried=re.compile(lines["retried"]),
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
            confidence=Confidence(row.get("confidence", "high")),
            examples=tuple((log, match) for log, match in row.get("examples", ())),
            silent_on=tuple(row.get("silent_on", ())),
        )
    except (KeyError, ValueError, re.error) as e:
        raise RuleError(f"{name}: {type(e).__name__}: {e}") from e


def _signal(row: dict[str, Any], file: str) -> Signal:
    try:
        return Signal(id=row["id"], needles=tuple(row["needles"]), pattern=re.compile(row["pattern"]))
    except (KeyError, re.error) as e:
        raise RuleError(f"{file}: signal {row.get('id', '(without id)')}: {type(e).__name__}: {e}") from e
