"""Secrets leave through no door: values we know, and shapes that are secrets wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "[redacted]"
SHAPES = re.compile(
    r"\b(?:a[ks]-[A-Za-z0-9]{16,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|A(?:KIA|SIA)[A-Z0-9]{16})\b"
)


class Redactor:
    """Takes known values and known shapes of secrets out of text."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        longest_first = sorted({v for v in values if v}, key=len, reverse=True)
        self._values = re.compile("|".join(re.escape(v) for v in longest_first)) if longest_first else None

    def text(self, text: str) -> str:
        if self._values is not None:
            text = self._values.sub(MASK, text)
        return SHAPES.sub(MASK, text)
