"""Text that is a secret, by its shape or the name it is given.  A value found here is never given back."""

from __future__ import annotations

import math
import re
from collections import Counter

from preflight import redact
from preflight.redact import is_secret_name

SHAPES = tuple((kind, re.compile(shape)) for kind, shape in redact.SHAPES)
PLACEHOLDER = re.compile(
    r"your|my[-_]|xxx|\.\.\.|…|<|>|\$|\{|example|placeholder|change[-_]?me|dummy|fake|test|sample|insert|todo|redacted|abcdef"
    r"|12345|00000",
    re.IGNORECASE,
)
OPAQUE = re.compile(r"(?![/.~])[A-Za-z0-9+/_=.-]{20,}")
LEAST_BITS = 3.0  # a character of English has fewer, of a random hexadecimal number up to 4


def credential_in(text: str) -> str:
    """What kind of credential stands in the text by its shape; "" for none, and for placeholders."""
    for kind, shape in SHAPES:
        found = shape.search(text)
        if found is not None and not PLACEHOLDER.search(found[0]) and _bits(found[0]) >= LEAST_BITS:
            return kind
    return ""


def is_credential(name: str, value: str) -> bool:
    """Whether the value of a variable of that name can only be the secret itself."""
    if not is_secret_name(name) or OPAQUE.fullmatch(value) is None or PLACEHOLDER.search(value):
        return False
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value) and _bits(value) >= LEAST_BITS


def _bits(text: str) -> float:
    """Shannon entropy of the characters, in bits each."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
