"""Secrets of a log beyond the shapes that `preflight.redact` knows: named values, URLs and headers."""

from __future__ import annotations

import re

from preflight.redact import MASK, Redactor

NAMED = re.compile(
    r"(?i)\b([A-Z0-9_]{0,60}(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY)[A-Z0-9_]{0,60}[\"']? ?[=:] ?[\"']?)"
    r"(?=[^\s\"',;]{6})([^\s\"',;]{1,4096})"
)
IN_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@:]{0,200}:[^\s/@]{1,500}@")
HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization[\"']?\s?[:=]\s?[\"']?)"
    r"((?:bearer|basic|aws4-hmac-sha256|token) )?[^\"'\r\n]{1,2000}"
)
SHAPES = Redactor()


def without_secrets(text: str) -> str:
    """The text as it may be shown: the name of a secret stays, its value does not."""
    text = HEADER.sub(lambda m: f"{m[1]}{m[2] or ''}{MASK}", text)
    text = IN_URL.sub(lambda m: f"{m[1]}{MASK}@", text)
    text = NAMED.sub(lambda m: f"{m[1]}{MASK}", text)
    return SHAPES.text(text)
