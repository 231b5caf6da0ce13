"""How long an epoch takes, read from a smoke run's log; only where the log leaves no doubt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median

from preflight.cost.clock import seconds_of
from preflight.cost.epoch_lines import Durations, Seen, durations_of

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


def pace_of(log: Iterable[str], pattern: re.Pattern[str] | None = None) -> Pace | NoPace:
    """The pace that a log shows.  ``log`` gives lines; a line may hold a progress bar's states, split by CR."""
    whole = list(log)
    guarded = _guarded(whole)
    if guarded is not None:
        return guarded
    lines = list(_lines(whole))
    if pattern is not None:
        return _settled(list(_by(pattern, lines)), "epoch-pattern")
    durations = durations_of(lines)
    if durations.epochs:
        return _agreed(durations)
    if durations.steps:
        return _of_steps(durations.steps[-1])
    return NoPace("no line of it says how long an epoch took; set [tool.preflight.smoke] epoch-pattern")


def _guarded(log: Iterable[str]) -> Pace | None:
    """What the guard inside the run has measured last: it timed the steps themselves."""
    found = None
    for line in log:
        _, is_its, record = line.partition(GUARD)
        if is_its:
            try:
                row = json.loads(record)
                step_s, step = float(row["step_s"] or 0), int(row["step"])
            except (ValueError, KeyError, TypeError):
                continue
            if step_s > 0:
                found = Pace(step_s=Fraction(str(step_s)), basis=f"the guard's median step, up to step {step}")
    return found


def _lines(log: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(log, start=1):
        states = line.split("\r")
        if len(states) > FEW_STATES:  # of a progress bar: its ends, and where it is now
            states = [s for s in states[:-1] if "100%" in s] + states[-1:]
        for state in states:
            text = ANSI.sub("", state[:LONGEST_LINE]).strip()
            if text:
                yield number, text


def _agreed(durations: Durations) -> Pace | NoPace:
    """The one pace that all ways of telling agree on."""
    kinds = dict.fromkeys(s.kind for s in durations.epochs)
    paces = [_settled([s for s in durations.epochs if s.kind == kind], "the log") for kind in kinds]
    found: list[tuple[Fraction, Pace]] = []
    for each in paces:
        if isinstance(each, NoPace):
            return each
        if each.epoch_s is not None:
            found.append((each.epoch_s, each))
    least, most = min(found, key=lambda f: f[0])[0], max(found, key=lambda f: f[0])
    if most[0] - least > BESIDE * most[0]:
        return NoPace(f"it tells an epoch's time in two ways, as {_s(least)} and as {_s(most[0])}")
    epochs = max(sum(s.kind == kind for s in durations.epochs) for kind in kinds)
    aside = sum((s.seconds for s in durations.asides), Fraction(0)) / epochs
    if aside > BESIDE * most[0] and "bar of all epochs" not in kinds:
        return NoPace(
            f"an epoch takes {_s(most[0])} and validation {_s(aside)}: whether that is part of it is not said"
        )
    return most[1]


def _of_steps(last: Seen) -> Pace:
    assert last.steps is not None
    return Pace(
        step_s=last.seconds / last.steps, basis=f"{last.steps} steps in {float(last.seconds):g} s, line {last.line}"
    )


def _by(pattern: re.Pattern[str], lines: list[tuple[int, str]]) -> Iterator[Seen]:
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
            yield Seen("pattern", _whole(named.get("epoch")), seconds, number, _whole(named.get("steps")))


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else None


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
