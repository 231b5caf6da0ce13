"""Names that speak of a secret, and text that is one.  A value found here is never given back, only what it is."""

from __future__ import annotations

import math
import re
from collections import Counter

NAME = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY|ACCESS_KEY_ID|SECRET_KEY|PRIVATE_KEY|AUTH_KEY)$",
    re.IGNORECASE,
)
SHAPES = (
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,}\b")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})\b")),
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("an API key", re.compile(r"\bsk-(?:proj-|ant-|or-)?[A-Za-z0-9_-]{32,}\b")),
    ("a Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b")),
    ("a Slack token", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20,}\b")),
    ("a Modal token", re.compile(r"\ba[ks]-[A-Za-z0-9]{22}\b")),
)
PLACEHOLDER = re.compile(
    r"your|my[-_]|xxx|\.\.\.|…|<|>|\$|\{|example|placeholder|change[-_]?me|dummy|fake|test|sample|insert|todo|redacted|abcdef"
    r"|12345|00000",
    re.IGNORECASE,
)
OPAQUE = re.compile(r"(?![/.~])[A-Za-z0-9+/_=.-]{20,}")
LEAST_BITS = 3.0  # a character of English has fewer, of a random hexadecimal number up to 4


def is_secret_name(name: str) -> bool:
    """ "HF_TOKEN", "aws_secret_access_key"; not "MAX_TOKENS" or "TOKENIZERS_PARALLELISM"."""
    return NAME.search(name) is not None


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
