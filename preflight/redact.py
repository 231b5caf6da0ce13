"""Secrets leave through no door: values we know, shapes that are secrets wherever they stand, and named values.

The name of a secret stays, its value does not.  Commit hashes, image ids and symbols are no secrets and stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MASK = "[redacted]"
SECRET_NAMES = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "ACCESS_KEY")
SHORTEST_VALUE = 8  # characters; a shorter one would take ordinary words out of a text
SHAPES = re.compile(
    r"\b(?:a[ks]-[A-Za-z0-9]{16,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}"
    r"|A(?:KIA|SIA)[A-Z0-9]{16})\b"
)
NAMED = re.compile(
    r"(?i)\b([A-Z0-9_]{0,60}(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY)[A-Z0-9_]{0,60}[\"']? ?[=:] ?[\"']?)"
    r"(?![a-z][a-z0-9+.-]{1,20}://)(?=[^\s\"',;]{6})([^\s\"',;]{1,4096})"  # an address is no secret: IN_URL sees to it
)
IN_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)(?:[^\s/@:]{0,200}:[^\s/@]{1,500}|[^\s/@:]{12,500})@")
HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization[\"']?\s?[:=]\s?[\"']?)"
    r"((?:bearer|basic|aws4-hmac-sha256|token) )?[^\"'\r\n]{1,2000}"
)


class Redactor:
    """``values`` are secrets of this machine's environment; the shapes and names are taken out without being told."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        longest_first = sorted({v for v in values if v}, key=len, reverse=True)
        self._values = re.compile("|".join(re.escape(v) for v in longest_first)) if longest_first else None

    def text(self, text: str) -> str:
        if self._values is not None:
            text = self._values.sub(MASK, text)
        text = HEADER.sub(lambda m: f"{m[1]}{m[2] or ''}{MASK}", text)
        text = IN_URL.sub(lambda m: f"{m[1]}{MASK}@", text)
        text = NAMED.sub(lambda m: f"{m[1]}{MASK}", text)
        return SHAPES.sub(MASK, text)


_without_values = Redactor()


def without_secrets(text: str) -> str:
    """The text without what is a secret by its shape or its name."""
    return _without_values.text(text)


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of an environment that must never be shown, whatever text they turn up in."""
    named = (value for name, value in environ.items() if any(n in name.upper() for n in SECRET_NAMES))
    return tuple(value for value in named if len(value) >= SHORTEST_VALUE)
