"""Text made safe for where it goes: a terminal, a pipe, an encoding that has no check mark, a JSON document."""

from __future__ import annotations

import json
import math
import re

# what a terminal, a log viewer or an XML parser would obey or refuse: control and direction characters, separators that
# end a line, surrogates, tags and what is no character
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff\U000e0000-\U000e007f]"
)
RUNNERS_COMMAND = re.compile(r"^([^\S\n]*)(?=::)|(?<=##)(?=\[)", re.M)
LONG_WHEEL = re.compile(r"[^\s/]{44,}\.whl")
DEEPEST = 40  # of what a plugin has seen; a deeper one is cut
ASCII = str.maketrans("✓✗⊘≈·–—×’“”", '+x/~---x\'""') | str.maketrans({"…": "...", "≥": ">=", "≤": "<=", "→": "->"})


def printable(text: str) -> str:
    """Without what a terminal would obey: control and direction characters show as ``\\x1b``, ``\\u202e``."""
    return CONTROL.sub(lambda m: ascii(m[0])[1:-1], text)


def inert(text: str) -> str:
    """Without what GitHub's runner obeys in any log: ``::error::`` at a line's start, ``##[error]``."""
    return RUNNERS_COMMAND.sub(r"\1\\", text)


def as_json(document: object) -> str:
    """Indented, of plain values; what a terminal would obey is escaped, which changes no value."""
    text = json.dumps(plain(document), indent=2, ensure_ascii=False)
    return CONTROL.sub(lambda m: json.dumps(m[0])[1:-1], text) + "\n"


def one_line(text: str) -> str:
    return " ".join(printable(text.replace("\n", " ").replace("\t", " ")).split())


def brief(text: str) -> str:
    """Long wheel names with their middle cut out: ``mamba_ssm-2.2.4+cu12…x86_64.whl``."""
    return LONG_WHEEL.sub(lambda m: f"{m[0][:30]}…{m[0][-10:]}", text)


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


def plain(value: object, depth: int = 0) -> object:
    """The value as every JSON reader takes it, whatever a check put there: no NaN, no bytes, no lone surrogate."""
    if value is None or isinstance(value, bool) or type(value) is int:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "backslashreplace")
    if depth < DEEPEST:
        if isinstance(value, dict):
            return {_str(k): plain(v, depth + 1) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [plain(v, depth + 1) for v in value]
        if isinstance(value, set | frozenset):
            return sorted((plain(v, depth + 1) for v in value), key=repr)
    return _str(value)


def _str(value: object) -> str:
    try:
        text = str(value)
    except Exception as e:  # noqa: BLE001 - a plugin's object may raise anything when it is asked for its text
        text = f"<{type(value).__name__} without a text: {type(e).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode()
