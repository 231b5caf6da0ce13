"""Text made safe for where it goes: a terminal, a pipe, an encoding that has no check mark."""

from __future__ import annotations

import re

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ASCII = str.maketrans(
    {
        "✓": "+",
        "✗": "x",
        "⊘": "/",
        "·": "-",
        "…": "...",
        "–": "-",
        "—": "-",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "→": "->",
        "’": "'",
        "“": '"',
        "”": '"',
    }
)


def printable(text: str) -> str:
    """Without bytes that a terminal would obey: control and direction characters show as ``\\x1b``, ``\\u202e``."""
    return CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", text)


def one_line(text: str) -> str:
    return " ".join(printable(text.replace("\n", " ").replace("\t", " ")).split())


def in_encoding(text: str, encoding: str | None) -> str:
    """The text as this encoding can carry it; what it can't becomes ASCII of the same sense, or ``?``."""
    name = encoding or "ascii"
    try:
        text.encode(name)
    except (UnicodeEncodeError, LookupError):
        return text.translate(ASCII).encode("ascii", "replace").decode()
    return text


def seconds(value: float) -> str:
    """``0.3 s``, ``75 s``, ``12 min``."""
    if value < 9.95:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"
