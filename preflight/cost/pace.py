"""How long an epoch takes, read from a smoke run's log; only where the log leaves no doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median

from preflight.cost.clock import SPAN, seconds_of

LONGEST_LINE = 2_000
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
VALIDATION = re.compile(r"(?i)(?:\b|_)(?:val|valid|validation|eval|evaluation|test|testing|infer|inference)\b")
EPOCH = re.compile(r"(?i)\bepochs?\b[^0-9\n]{0,12}?(\d{1,6})\b")
TOOK = re.compile(
    r"(?i)(?P<before>\w*)(?P<gap>[ _|,(]{0,3})\b(?P<word>took|time(?:[ _]taken)?|duration"
    r"|(?:finished|completed|complete|done|trained|ended|over)[ _](?:in|after|within))\b[ :=|~]{0,4}(?P<span>"
    + SPAN
    + ")"
)
NOT_THE_EPOCH = re.compile(
    r"(?i)^(?:total|elapsed|remaining|step|batch|iter|iteration|data|load|loading|save|saving|wall)$"
)
KEYED = re.compile(  # the unit is in the key: "Epoch Time(s): 8.7", "epoch_time_s": 8.7, "epoch_seconds=8.7"
    r"(?i)\bepoch[ _](?:(?:train[ _])?(?:time|duration)[ _]?\(?(?P<unit>ms|s|secs?|seconds?|mins?|minutes?)\)?"
    r"|(?P<name>seconds|secs|minutes))[\"']? ?[:=] ?(?P<number>\d{1,9}(?:\.\d{1,9})?)\b(?![:.\w])"
)
KERAS = re.compile(r"\b(\d+)/\1 .{0,120}?(?P<span>\d+s|\d+:\d{2}(?::\d{2})?) \d+(?:ms|us|s)/(?:step|epoch)\b")
BAR = re.compile(
    r"(?P<done>\d+)/(?P<total>\d+) \[(?P<span>(?:\d+:)?\d{1,2}:\d{2})<[^,\]]{1,20}, *[\d.]+ ?(?:s/it|it/s)"
)
RUNTIME = re.compile(
    r"[\"']train_runtime[\"']: [\"']?(\d+(?:\.\d+)?)[\"']?.{0,400}?[\"']epoch[\"']: [\"']?(\d+(?:\.\d+)?)"
)
SAME = Fraction(1, 50)  # two times of one epoch that differ by less are one


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


@dataclass(frozen=True)
class _Seen:
    epoch: int | None
    seconds: Fraction
    line: int
    steps: int | None = None


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
    lines = list(_lines(log))
    if pattern is not None:
        return _settled(list(_by(pattern, lines)), "epoch-pattern")
    found = list(_plain(lines))
    if found:
        return _settled(found, "the log")
    steps = list(_bars(lines, is_epoch=False))
    if steps:
        last = steps[-1]
        assert last.steps is not None
        said = f"{last.steps} steps in {float(last.seconds):g} s, line {last.line}"
        return Pace(step_s=last.seconds / last.steps, basis=said)
    return NoPace("no line of it says how long an epoch took; set [tool.preflight.smoke] epoch-pattern")


def _lines(log: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(log, start=1):
        for state in line.split("\r"):
            text = ANSI.sub("", state[:LONGEST_LINE]).strip()
            if text:
                yield number, text


def _plain(lines: list[tuple[int, str]]) -> Iterator[_Seen]:
    """Epoch times by the common ways of writing them."""
    current: int | None = None
    for number, text in lines:
        heading = EPOCH.search(text)
        if heading is not None:
            current = int(heading[1])
        runtime = RUNTIME.search(text)
        if runtime is not None and Fraction(runtime[2]) > 0:
            yield _Seen(None, Fraction(runtime[1]) / Fraction(runtime[2]), number)
            continue
        keyed = KEYED.search(text)
        if keyed is not None and VALIDATION.search(text[: keyed.start()]) is None:
            seconds = seconds_of(f"{keyed['number']} {keyed['unit'] or keyed['name']}")
            if seconds:
                yield _Seen(current, seconds, number)
            continue
        keras = KERAS.search(text)
        if keras is not None and current is not None and BAR.search(text) is None:
            seconds = seconds_of(keras["span"])
            if seconds:
                yield _Seen(current, seconds, number)
            continue
        took = _took(text, heading)
        if took is not None:
            yield _Seen(current, took, number)
    yield from _bars(lines, is_epoch=True)


def _took(text: str, heading: re.Match[str] | None) -> Fraction | None:
    """The duration that this line gives for its epoch: one, or none."""
    spans = []
    for found in TOOK.finditer(text):
        before = text[: found.start("word")]
        last = re.findall(r"\w+", before.replace("_", " "))[-1:] or [""]
        names_epoch = heading is not None and heading.start() < found.start("word")
        names_epoch = names_epoch or last[0].lower() == "epoch"
        is_other = NOT_THE_EPOCH.search(last[0]) is not None or VALIDATION.fullmatch(last[0]) is not None
        if heading is not None and VALIDATION.search(text[: heading.start()]) is not None:
            is_other = True
        if names_epoch and not is_other:
            spans.append(seconds_of(found["span"]))
    return spans[0] if len(spans) == 1 and spans[0] else None


def _bars(lines: list[tuple[int, str]], *, is_epoch: bool) -> Iterator[_Seen]:
    """Finished progress bars of epochs; or the last states of bars of steps."""
    for number, text in lines:
        for found in BAR.finditer(text):
            label = text[: found.start()]
            done, seconds = int(found["done"]), seconds_of(found["span"])
            if VALIDATION.search(label) is not None or not seconds or done < 2:
                continue
            heading = EPOCH.search(label)
            is_of_epochs = re.match(r"(?i)epochs?\b\W*\d+%", label) is not None  # one bar over all epochs
            if is_epoch and is_of_epochs and done == int(found["total"]):
                yield _Seen(None, seconds / done, number)
            elif is_epoch and heading is not None and not is_of_epochs and done == int(found["total"]):
                yield _Seen(int(heading[1]), seconds, number)
            elif not is_epoch and not is_of_epochs and re.match(r"(?i)\W*(?:train|step|\d+%)", label):
                yield _Seen(None, seconds, number, done)


def _by(pattern: re.Pattern[str], lines: list[tuple[int, str]]) -> Iterator[_Seen]:
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
        steps = named.get("steps", "")
        if seconds:
            epoch = named.get("epoch", "")
            yield _Seen(
                int(epoch) if epoch.isdecimal() else None, seconds, number, int(steps) if steps.isdecimal() else None
            )


def _settled(found: list[_Seen], by: str) -> Pace | NoPace:
    """One time out of many, or why there is none."""
    if not found:
        return NoPace(f"no line of it matches {by}")
    stepped = [s for s in found if s.steps]
    if stepped:
        last = stepped[-1]
        assert last.steps is not None
        said = f"{last.steps} steps in {float(last.seconds):g} s, line {last.line}"
        return Pace(step_s=last.seconds / last.steps, basis=said)
    times: dict[int, _Seen] = {}
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
