"""The lines of a log that tell how long an epoch took: sentences ("epoch 3 took 14 min 59 s"), and tqdm's bars.

Whatever else a training writes is for ``epoch-pattern``, or for the guard inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

UNITS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600), "d": Fraction(86_400)}
_UNIT = r"(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)"
_ONE = rf"\d{{1,9}}(?:\.\d{{1,9}})? ?{_UNIT}(?![A-Za-z/])"
_PART = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,9}})?) ?({_UNIT})(?![A-Za-z/])", re.I)
_CLOCK = r"(?:\d+ days?, )?\d{1,3}:\d{2}:\d{2}(?:\.\d{1,9})?"
_SPAN = rf"(?:{_CLOCK}|{_ONE}(?:,? ?(?:and )?{_ONE}){{0,3}})"
EPOCH = re.compile(r"(?i)\bepoch[\"']?[ \t:=#\[(|.-]{0,8}(\d{1,6})(?![\w.]\d)")
TOOK = re.compile(
    r"(?i)\b(?P<word>took|time(?:[ _]taken)?|duration"
    r"|(?:finished|completed|complete|done|ended|over)[ _](?:in|after|within))\b[ :=|~]{0,4}(?P<span>" + _SPAN + ")"
)
ASIDE = re.compile(
    r"(?i)(?:\b|_)(?:val|valid|validat\w*|eval|evaluat\w*|test|tests|testing|infer\w*|predict\w*)(?:\b|_)"
)
OTHER = re.compile(  # work beside an epoch whose lines may name the epoch too
    r"(?i)(?:\b|_)(?:sav|load|checkpoint|ckpt|upload|download|best|build|compil|resum|warm|prepar|generat|sampl|plot"
    r"|prefetch|cach|average|mean)\w*"
)
NOT_THE_EPOCH = re.compile(  # the word before "time" or "took" that makes it another time
    r"(?i)(?:total|overall|elapsed|remaining|left|eta|estimated|wall|step|batch|iter|iteration|data|train|training"
    r"|forward|backward|current|start|end)"
)
BAR = re.compile(
    r"\b(?P<done>\d{1,9})/(?P<total>\d{1,9}) \[(?P<span>(?:\d+:)?\d{1,2}:\d{2})<[^,\]]{1,20}, *[\d.]+ ?(?:s/it|it/s)"
)
ALL_EPOCHS = re.compile(r"(?i)\W*epochs?\b\W*\d+%")
STEPS = re.compile(r"(?i)\W*(?:train|step|\d+%)")
WORDS = "took time duration it/s s/it finished completed complete done ended over".split()


def seconds_of(text: str) -> Fraction | None:
    """Seconds of a duration with its units, or of h:mm:ss and m:ss; None for anything else."""
    text = text.strip()
    clock = re.fullmatch(r"(?:(\d+) days?, )?(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,9})?)", text)
    if clock is not None:
        days, hours, minutes, seconds = (Fraction(part or 0) for part in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    parts = [(number, unit.lower()) for number, unit in _PART.findall(text)]
    if not parts or _PART.sub("", text).replace("and", "").strip(" ,"):
        return None
    units = (UNITS["ms" if unit.startswith(("ms", "milli")) else unit[0]] for _, unit in parts)
    return sum((Fraction(number) * unit for (number, _), unit in zip(parts, units, strict=True)), Fraction(0))


@dataclass(frozen=True)
class Seen:
    """One duration with its place.  ``kind`` is how it is written: "took", "bar", "bar of all epochs"; "aside" for
    validation and the like, which may be on top; "steps" for a time of ``steps`` steps.
    """

    kind: str
    epoch: int | None
    seconds: Fraction
    line: int
    steps: int | None = None


def durations_of(lines: Iterable[tuple[int, str]]) -> Iterator[Seen]:
    """Every duration that the lines (number, text) give for an epoch, for what is beside it, and for steps."""
    for number, text in lines:
        low = text.lower()
        if not any(word in low for word in WORDS):  # most lines: the patterns cost a thousand times as much
            continue
        bars = list(BAR.finditer(text)) if "it/s" in low or "s/it" in low else []
        for bar in bars:
            yield from _bar(bar, text[: bar.start()], number)
        if not bars:
            yield from _sentence(text, number)


def _sentence(text: str, number: int) -> Iterator[Seen]:
    """The duration that a line gives for its epoch, when it gives one; those of what is beside it."""
    heading = EPOCH.search(text)
    epoch = None if heading is None else int(heading[1])
    whole: list[Fraction] = []
    for found in TOOK.finditer(text):
        before = text[: found.start("word")]
        last = (re.findall(r"[A-Za-z]+", before) or [""])[-1]
        seconds = seconds_of(found["span"])
        is_named = (heading is not None and heading.end() <= found.start("word")) or last.lower() == "epoch"
        front = before if heading is None else text[: heading.start()]
        if not seconds:
            continue
        if ASIDE.fullmatch(last) is not None or ASIDE.search(front) is not None:
            yield Seen("aside", epoch, seconds, number)
        elif is_named and NOT_THE_EPOCH.fullmatch(last) is None and OTHER.search(before) is None:
            whole.append(seconds)
    if len(whole) == 1:
        yield Seen("took", epoch, whole[0], number)


def _bar(found: re.Match[str], label: str, number: int) -> Iterator[Seen]:
    """A finished bar of an epoch, or of all of them; any state of a bar of steps."""
    done, seconds, heading = int(found["done"]), seconds_of(found["span"]), EPOCH.search(label)
    epoch, is_whole = None if heading is None else int(heading[1]), done == int(found["total"])
    if not seconds:
        return
    if ASIDE.search(label) is not None:
        kind, seen = "aside", is_whole
    elif ALL_EPOCHS.match(label) is not None:
        kind, seen, seconds = "bar of all epochs", is_whole, seconds / max(done, 1)
    elif heading is not None:
        kind, seen = "bar", is_whole and done > 1
    else:
        kind, seen = "steps", STEPS.match(label) is not None and done > 1
    if seen:
        yield Seen(kind, epoch, seconds, number, done if kind == "steps" else None)
