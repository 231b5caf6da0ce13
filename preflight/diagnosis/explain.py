"""A rule's why and remedy in the words of this log."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACE = re.compile(r"\{(\w{1,40})\|([^{}]{0,200})\}")


def in_words_of_log(template: str, captures: Mapping[str, str]) -> str:
    """``{torch|the installed torch}`` becomes what the log said of it, else the words behind the bar."""
    return PLACE.sub(lambda m: captures.get(m[1]) or m[2], template)
