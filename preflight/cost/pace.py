"""How long an epoch takes, read from the last smoke test's log; only where the log leaves no doubt."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median

from preflight.cost.epoch_lines import Seen, durations_of, seconds_of
from preflight.settings import Settings, folder_of

NAME = re.compile(r"smoke-(\d{8}-\d{6})\.log")
MOST_LOGS = 5  # the newest that shows a pace is taken; the last ones may have failed before their first epoch
MOST_BYTES = 20_000_000  # of the end of a log
LONGEST_LINE = 2_000
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
GUARD = "preflight.guard "  # before its JSON, on standard error of the run
FEW_STATES = 8
SAME = Fraction(1, 50)  # two times of one epoch that differ by less are one
BESIDE = Fraction(1, 20)  # of an epoch: what may be left aside, of validation or of two ways of telling


class PatternRefused(ValueError):
    """The configured pattern can't be used; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds of one epoch, or of one step, and how that was read."""

    epoch_s: Fraction | None = None
    step_s: Fraction | None = None
    basis: str


@dataclass(frozen=True)
class NoPace:
    """``why`` says what was looked for, or what was in doubt."""

    why: str


def pattern_of(text: str) -> re.Pattern[str]:
    """A configured pattern: a group ``seconds``, ``minutes``, ``hours`` or ``clock``, or a first group of seconds;
    a group ``steps`` makes it the time of so many steps.  Raises PatternRefused.
    """
    try:
        pattern = re.compile(text)
    except re.error as e:
        raise PatternRefused(f"epoch-pattern is no regular expression: {e}") from e
    if not pattern.groups:
        raise PatternRefused(f"epoch-pattern {text!r} has no group; wanted one around the seconds")
    unknown = sorted(set(pattern.groupindex) - {"seconds", "minutes", "hours", "clock", "epoch", "steps"})
    if unknown:
        raise PatternRefused(
            f"epoch-pattern has a group {unknown[0]!r}; there are seconds, minutes, hours, clock, steps"
        )
    return pattern


@dataclass(frozen=True)
class Measured:
    """A pace with the log that shows it.  ``at`` is when that run began, in UTC."""

    pace: Pace
    log: Path
    at: datetime


def measured(settings: Settings) -> Measured | NoPace:
    """What the newest readable log shows.  Nothing is read where nothing is kept."""
    if settings.state is None:
        return NoPace("no smoke test's log is kept here")
    try:
        pattern = None if settings.smoke.epoch_pattern is None else pattern_of(settings.smoke.epoch_pattern)
    except PatternRefused as e:
        return NoPace(str(e))
    logs = sorted(folder_of(settings.state, settings.project).glob("smoke-*.log"), reverse=True)
    first: NoPace | None = None
    for log in logs[:MOST_LOGS]:
        found = _read(log, pattern)
        if isinstance(found, Measured):
            return found
        first = first or NoPace(f"{log.name}: {found.why}")
    return first or NoPace("no smoke test has left a log yet; run `preflight check smoke-test`")


def _read(log: Path, pattern: re.Pattern[str] | None) -> Measured | NoPace:
    named = NAME.fullmatch(log.name)
    if named is None:
        return NoPace("its name holds no time")
    at = datetime.strptime(named[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    try:
        with log.open("rb") as file:
            seen = os.fstat(file.fileno())
            file.seek(max(0, seen.st_size - MOST_BYTES))
            text = file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError as e:
        return NoPace(f"it can't be read: {e.strerror or e}")
    pace = pace_of(text.split("\n"), pattern)
    if isinstance(pace, NoPace):
        return pace
    took, one = seen.st_mtime - at.timestamp(), pace.epoch_s or pace.step_s
    if one is not None and one > took + 60:
        return NoPace(f"{pace.basis}, and the whole run took {took:.0f} s: that is no epoch's time")
    return Measured(pace, log, at)


def pace_of(log: Iterable[str], pattern: re.Pattern[str] | None = None) -> Pace | NoPace:
    """The pace that a log shows.  ``log`` gives lines; a line may hold a progress bar's states, split by CR."""
    whole = list(log)
    guarded = [pace for line in whole if GUARD in line and (pace := _guarded(line)) is not None]
    if guarded:
        return guarded[-1]
    if pattern is not None:
        return _settled(list(_by(pattern, _lines(whole))), "epoch-pattern")
    found = list(durations_of(_lines(whole)))
    epochs = [s for s in found if s.kind not in ("aside", "steps")]
    if epochs:
        return _agreed(epochs, [s.seconds for s in found if s.kind == "aside"])
    steps = [s for s in found if s.kind == "steps"]
    if steps:
        return _of_steps(steps[-1])
    return NoPace("no line of it says how long an epoch took; set [tool.preflight.smoke] epoch-pattern")


def _guarded(line: str) -> Pace | None:
    """What the guard inside the run has measured: it timed the steps themselves."""
    try:
        row = json.loads(line.partition(GUARD)[2])
        step_s, step = float(row["step_s"] or 0), int(row["step"])
    except (ValueError, KeyError, TypeError):
        return None
    return (
        Pace(step_s=Fraction(str(step_s)), basis=f"the guard's median step, up to step {step}") if step_s > 0 else None
    )


def _lines(log: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(log, start=1):
        states = line.split("\r")
        if len(states) > FEW_STATES:  # of a progress bar: its ends, and where it is now
            states = [s for s in states[:-1] if "100%" in s] + states[-1:]
        for state in states:
            text = ANSI.sub("", state[:LONGEST_LINE]).strip()
            if text:
                yield number, text


def _agreed(epochs: list[Seen], asides: list[Fraction]) -> Pace | NoPace:
    """The one pace that all ways of telling agree on."""
    ways = {kind: [s for s in epochs if s.kind == kind] for kind in dict.fromkeys(s.kind for s in epochs)}
    found: list[tuple[Fraction, Pace]] = []
    for pace in (_settled(seen, "the log") for seen in ways.values()):
        if isinstance(pace, NoPace):
            return pace
        found.append((pace.epoch_s or Fraction(0), pace))
    least, most = min(found, key=lambda f: f[0])[0], max(found, key=lambda f: f[0])
    if most[0] - least > BESIDE * most[0]:
        return NoPace(f"it tells an epoch's time in two ways, as {_s(least)} and as {_s(most[0])}")
    aside = sum(asides, Fraction(0)) / max(map(len, ways.values()))
    if aside > BESIDE * most[0] and "bar of all epochs" not in ways:
        return NoPace(
            f"an epoch takes {_s(most[0])} and validation {_s(aside)}: whether that is part of it is not said"
        )
    return most[1]


def _of_steps(last: Seen) -> Pace:
    steps, seconds = last.steps or 1, last.seconds
    return Pace(step_s=seconds / steps, basis=f"{steps} steps in {float(seconds):g} s, line {last.line}")


def _by(pattern: re.Pattern[str], lines: Iterable[tuple[int, str]]) -> Iterator[Seen]:
    for number, text in lines:
        found = pattern.search(text)
        if found is None:
            continue
        named = {k: v for k, v in found.groupdict().items() if v is not None}
        if "clock" in named:
            seconds = seconds_of(named["clock"])
        else:
            unit = next((u for u in ("seconds", "minutes", "hours") if u in named), "seconds")
            seconds = seconds_of(f"{(named.get(unit) or found[1] or '').strip()} {unit}")
        if seconds:
            numbers = (named.get(name, "") for name in ("epoch", "steps"))
            epoch, steps = (int(n) if n.isdecimal() and len(n) < 10 else None for n in numbers)
            yield Seen("pattern", epoch, seconds, number, steps)


def _settled(found: list[Seen], by: str) -> Pace | NoPace:
    """One time out of many, or why there is none."""
    if not found:
        return NoPace(f"no line of it matches {by}")
    stepped = [s for s in found if s.steps]
    if stepped:
        return _of_steps(stepped[-1])
    times: dict[int, Seen] = {}
    for n, seen in enumerate(found):
        key = seen.epoch if seen.epoch is not None else -1 - n
        other = times.setdefault(key, seen)
        if abs(other.seconds - seen.seconds) > SAME * max(other.seconds, seen.seconds):
            lines = f"lines {other.line} and {seen.line}"
            return NoPace(f"two times stand for epoch {key}: {_s(other.seconds)} and {_s(seen.seconds)} ({lines})")
    seconds = [s.seconds for s in times.values()]
    if _grows(seconds):
        return NoPace(f"the times grow with every epoch ({_s(seconds[0])}, {_s(seconds[1])} …), as if since the start")
    first = next(iter(times.values()))
    if len(seconds) == 1:
        return Pace(epoch_s=seconds[0], basis=f"one epoch took {_s(seconds[0])}, line {first.line}, warm-up included")
    taken = Fraction(median(seconds[1:]))
    return Pace(epoch_s=taken, basis=f"the median of {len(seconds) - 1} epochs after the first, {_s(taken)}")


def _grows(seconds: list[Fraction]) -> bool:
    """Whether the times look like a clock that was never set back: each is later than the last by about one epoch."""
    steps = [b - a for a, b in pairwise(seconds)]
    if len(steps) == 1:
        return abs(steps[0] - seconds[0]) <= seconds[0] * Fraction(2, 5)
    return bool(steps) and min(steps) >= seconds[0] * Fraction(3, 20) and max(steps) <= 2 * min(steps)


def _s(seconds: Fraction) -> str:
    return f"{float(seconds):.1f} s"
