"""Durations as training logs write them: ``12.3s``, ``14 min 59 s``, ``00:14:59``."""

from __future__ import annotations

import re
from fractions import Fraction

CLOCK = r"(?:\d+ days?, )?\d{1,3}:\d{2}:\d{2}(?:\.\d{1,9})?"
UNITS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86_400),
}
_UNIT = r"(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)"
_ONE = rf"\d{{1,9}}(?:\.\d{{1,9}})? ?{_UNIT}(?![A-Za-z/])"
PART = re.compile(rf"(\d{{1,9}}(?:\.\d{{1,9}})?) ?({_UNIT})(?![A-Za-z/])", re.I)
SPAN = rf"(?:{CLOCK}|{_ONE}(?:,? ?(?:and )?{_ONE}){{0,3}})"


def seconds_of(text: str) -> Fraction | None:
    """Seconds of a duration with its units, or of h:mm:ss and m:ss; None for anything else."""
    text = text.strip()
    clock = re.fullmatch(r"(?:(\d+) days?, )?(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,9})?)", text)
    if clock is not None:
        days, hours, minutes, seconds = (Fraction(part or 0) for part in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    parts = PART.findall(text)
    if not parts or PART.sub("", text).replace("and", "").strip(" ,"):
        return None
    return sum((Fraction(number) * UNITS[_unit(unit)] for number, unit in parts), Fraction(0))


def _unit(written: str) -> str:
    low = written.lower()
    return "ms" if low.startswith(("ms", "milli")) else low[0]
