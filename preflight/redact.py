"""Secrets leave through no door: values we know, shapes that are secrets wherever they stand, and named values.

The name of a secret stays, its value does not.  Commit hashes, image ids and symbols are no secrets and stay.  This is
the one table of what a secret's name and shape are: the rules and the recorder ask it too.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "[redacted]"
SHORTEST_VALUE = 8  # characters; a shorter one would take ordinary words out of a text
WORDS = (
    r"TOKENS?|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|COOKIE|DSN|API_?KEY|ACCESS_KEY(?:_ID)?|SECRET_KEY"
    r"|PRIVATE_KEY(?:_ID)?|AUTH_KEY|SIGNING_KEY|ENCRYPTION_KEY|LICENSE_KEY|ACCOUNT_KEY|DEPLOY_KEY"
)
SECRET_NAME = re.compile(rf"(?:^|_)(?:{WORDS})(?:$|_)", re.IGNORECASE)  # of a variable: any part of its name
SHAPES = (
    ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{20,}\b"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{30,})\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("an AWS access key", r"\bA(?:KIA|SIA)[A-Z0-9]{16}\b"),
    ("an API key", r"\bsk-[A-Za-z0-9_-]{20,}\b"),
    ("a Stripe key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b"),
    ("a Google API key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a Modal token", r"\ba[ks]-[A-Za-z0-9]{16,}\b"),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    (
        "a private key",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----)){0,20000}(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    ),
)
ANY_SHAPE = re.compile("|".join(shape for _, shape in SHAPES))
NAMED = re.compile(  # HF_TOKEN_2=…, "db_password": "…", password: hunter22; not "the secret: refused"
    rf"((?:{WORDS})(?:_[A-Z0-9_]{{1,40}})?[\"']? ?[=:] ?\\?[\"']?"
    rf"|(?i:{WORDS})\\?[\"']? ?"
    r"(?:=|:\s?\\?[\"']|:(?=\S)|: (?=[^\s\"',;]{0,40}[0-9+/_-])) ?\\?[\"']?)"
    r"(?![a-z][a-z0-9+.-]{1,20}://)"  # an address is no secret: IN_URL sees to it
    r"(?![\[{(]|[A-Za-z_][A-Za-z0-9_.]{0,60}[(\[])"  # nor is an expression
    r"(?=[^\s\"',;\\]{6})[^\s\"',;\\]{1,4096}"
)
IN_URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)(?:[^\s/@:]{0,200}:[^\s/@]{1,500}|[^\s/@:]{12,500})@")
HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization[\"']?\s?[:=]\s?[\"']?)"
    r"((?:bearer|basic|aws4-hmac-sha256|token) )?[^\"'\r\n]{1,2000}"
)
NOISE = re.compile(  # what may stand inside a value and is none of it: colours, links, invisible characters, folds
    r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]|\\?\r?\n[ \t]*|\r"
)


class Redactor:
    """``values`` are secrets of this machine's environment; shapes and names are taken out without being told."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        values = tuple(values)
        forms = {form for value in values for form in _forms(value)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if forms else None
        self._lines = {line.lower() for value in values for line in value.split("\n") if len(line) > SHORTEST_VALUE}

        self._short = lru_cache(maxsize=4096)(self._clean)  # a message comes once as it is found, once in the report

    def text(self, text: str) -> str:
        return self._short(text) if len(text) < 1000 else self._clean(text)

    def _clean(self, text: str) -> str:
        if self._values is not None:
            text = self._without_halves(self._without_values(text))
        text = HEADER.sub(lambda m: f"{m[1]}{m[2] or ''}{MASK}", text)
        text = IN_URL.sub(lambda m: f"{m[1]}{MASK}@", text)
        text = NAMED.sub(lambda m: f"{m[1]}{MASK}", text)
        return ANY_SHAPE.sub(MASK, text)

    def _without_halves(self, text: str) -> str:
        """A value that was folded begins at the end of one line and goes on in the next, which come one by one."""
        low = text.lower()
        end, start = len(low.rstrip("\\ \n")), len(low) - len(low.lstrip())
        last, first = low[max(0, end - SHORTEST_VALUE) : end], low[start : start + SHORTEST_VALUE]
        for line in self._lines:
            sizes = range(len(line) - 1, SHORTEST_VALUE - 1, -1)
            if last in line and (size := next((n for n in sizes if low.endswith(line[:n], 0, end)), 0)):
                return self._without_halves(text[: end - size] + MASK + text[end:])
            if first in line and (size := next((n for n in sizes if low.startswith(line[-n:], start)), 0)):
                return self._without_halves(text[:start] + MASK + text[start + size :])
        return text

    def _without_values(self, text: str) -> str:
        assert self._values is not None
        text = self._values.sub(MASK, text)
        if NOISE.search(text) is None:
            return text
        plain: list[str] = []
        places: list[int] = []  # of each character that is no noise
        at = 0
        for noise in [*NOISE.finditer(text), None]:
            end = noise.start() if noise is not None else len(text)
            plain.append(text[at:end])
            places += range(at, end)
            at = noise.end() if noise is not None else end
        cuts = [(places[m.start()], places[m.end() - 1] + 1) for m in self._values.finditer("".join(plain))]
        for start, end in reversed(cuts):
            text = text[:start] + MASK + "\n" * text.count("\n", start, end) + text[end:]
        return text


def _forms(value: str) -> Iterator[str]:
    """A value as it may stand in a text: as it is, escaped, quoted, encoded; of several lines, each one."""
    parts = {value, value.strip(), *(line.strip() for line in value.splitlines())}
    for part in (p for p in parts if len(p) >= SHORTEST_VALUE):
        as_json = json.dumps(part)[1:-1]
        yield from {part, as_json, json.dumps(as_json)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
        raw = part.encode("utf-8", "surrogateescape")  # of an environment, where a value need not be text
        yield from {repr(part)[1:-1], shlex.quote(part).strip("'"), quote(raw, safe=""), quote(raw), quote_plus(raw)}
        yield raw.hex()
        for shift in range(3):  # its place among the bytes that are encoded with it is not known
            coded = base64.b64encode(b"\0" * shift + raw).decode()
            inner = coded[(0, 2, 3)[shift] : len(coded.rstrip("=")) - (1 if (shift + len(raw)) % 3 else 0)]
            if len(inner) >= SHORTEST_VALUE:
                yield from {inner, inner.replace("+", "-").replace("/", "_")}


_without_values = Redactor()


def without_secrets(text: str) -> str:
    """The text without what is a secret by its shape or its name."""
    return _without_values.text(text)


def is_secret_name(name: str) -> bool:
    """ "HF_TOKEN", "aws_secret_access_key"; not "MAX_TOKENS" or "TOKENIZERS_PARALLELISM"."""
    found = SECRET_NAME.search(name)
    return found is not None and not re.search(r"(?:^|_)(?:MAX|NUM|N|PUBLIC)_", name, re.IGNORECASE)


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of an environment that must never be shown, whatever text they turn up in."""
    return tuple(value for name, value in environ.items() if is_secret_name(name) and len(value) >= SHORTEST_VALUE)
