"""The lines of a log that tell how long an epoch took, in the ways that training programs commonly write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from preflight.cost.clock import SPAN, seconds_of

EPOCH = re.compile(r"(?i)\bepoch[\"']?[ \t:=#\[(|.-]{0,8}(\d{1,6})(?![\w.]\d)")
TOOK = re.compile(
    r"(?i)\b(?P<word>took|time(?:[ _]taken)?|duration"
    r"|(?:finished|completed|complete|done|ended|over)[ _](?:in|after|within))\b[ :=|~]{0,4}(?P<span>" + SPAN + ")"
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
KEYED = re.compile(  # the unit is in the key: "Epoch Time(s): 8.7", "epoch_time_s": 8.7, "epoch_seconds=8.7"
    r"(?i)\bepoch[ _](?:(?:time|duration)[ _]?\(?(?P<unit>ms|s|secs?|seconds?|mins?|minutes?)\)?"
    r"|(?P<name>seconds|secs|minutes))[\"']? ?[:=] ?(?P<number>\d{1,9}(?:\.\d{1,9})?)\b(?![:.\w])"
)
KERAS = re.compile(
    r"\b(\d{1,9})/\1 .{0,120}?(?P<span>\b\d{1,9}s|\b\d{1,9}:\d{2}(?::\d{2})?) \d{1,9}(?:ms|us|s)/(?:step|epoch)\b"
)
BAR = re.compile(
    r"\b(?P<done>\d{1,9})/(?P<total>\d{1,9}) \[(?P<span>(?:\d+:)?\d{1,2}:\d{2})<[^,\]]{1,20}, *[\d.]+ ?(?:s/it|it/s)"
)
ALL_EPOCHS = re.compile(r"(?i)\W*epochs?\b\W*\d+%")
WORDS = (
    "took time duration runtime seconds secs minutes it/s s/it /step /epoch"
    " finished completed complete done ended over".split()
)
STEPS = re.compile(r"(?i)\W*(?:train|step|\d+%)")
RUNTIME = re.compile(
    r"[\"']train_runtime[\"']: [\"']?(\d+(?:\.\d+)?)[\"']?.{0,400}?[\"']epoch[\"']: [\"']?(\d+(?:\.\d+)?)"
)


@dataclass(frozen=True)
class Seen:
    """One duration with its place.  ``kind`` is the way it is written; ``steps`` is set for a time of steps."""

    kind: str
    epoch: int | None
    seconds: Fraction
    line: int
    steps: int | None = None


@dataclass(frozen=True)
class Durations:
    """``epochs``: whole ones, as far as the log says.  ``asides``: validation and the like, which may be on top."""

    epochs: tuple[Seen, ...]
    asides: tuple[Seen, ...]
    steps: tuple[Seen, ...]


def durations_of(lines: Sequence[tuple[int, str]]) -> Durations:
    """Every duration that the lines (number, text) give for an epoch, for what is beside it, and for steps."""
    found = list(_durations(lines))
    epochs = tuple(s for s in found if s.steps is None and s.kind != "aside")
    asides = tuple(s for s in found if s.kind == "aside")
    return Durations(epochs, asides, tuple(s for s in found if s.steps is not None))


def _durations(lines: Sequence[tuple[int, str]]) -> Iterator[Seen]:
    current: int | None = None
    for number, text in lines:
        low = text.lower()
        heading = EPOCH.search(text) if "epoch" in low else None
        if heading is not None:
            current = int(heading[1])
        if not any(word in low for word in WORDS):  # most lines: the patterns cost a thousand times as much
            continue
        bars = list(BAR.finditer(text)) if "it/s" in low or "s/it" in low else []
        if bars:
            for bar in bars:
                yield from _bar(bar, text[: bar.start()], number)
            continue
        runtime = RUNTIME.search(text) if "train_runtime" in text else None
        keyed = KEYED.search(text) if "epoch" in low else None
        keras = KERAS.search(text) if "/step" in text or "/epoch" in text else None
        if runtime is not None and Fraction(runtime[2]) > 0:
            yield Seen("trainer", None, Fraction(runtime[1]) / Fraction(runtime[2]), number)
        elif keyed is not None and ASIDE.search(text[: keyed.start()]) is None:
            seconds = seconds_of(f"{keyed['number']} {keyed['unit'] or keyed['name']}")
            if seconds:
                yield Seen("key", current, seconds, number)
        elif keras is not None and current is not None and (seconds := seconds_of(keras["span"])):
            yield Seen("keras", current, seconds, number)
        else:
            yield from _sentence(text, heading, number)


def _sentence(text: str, heading: re.Match[str] | None, number: int) -> Iterator[Seen]:
    """The duration that a line gives for its epoch, when it gives one; those of what is beside it."""
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
    done, seconds = int(found["done"]), seconds_of(found["span"])
    is_whole, heading = done == int(found["total"]), EPOCH.search(label)
    if not seconds:
        return
    if ASIDE.search(label) is not None:
        if is_whole:
            yield Seen("aside", None if heading is None else int(heading[1]), seconds, number)
    elif ALL_EPOCHS.match(label) is not None:
        if is_whole:
            yield Seen("bar of all epochs", None, seconds / done, number)
    elif heading is not None:
        if is_whole and done > 1:
            yield Seen("bar", int(heading[1]), seconds, number)
    elif STEPS.match(label) is not None and done > 1:
        yield Seen("steps", None, seconds, number, done)
