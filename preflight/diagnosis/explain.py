"""A rule's why and remedy in the words of this log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from preflight.diagnosis.model import Hit

LIBRARY = re.compile(r"([\w.+-]{1,200}\.so)\S{0,20}: undefined symbol")
PLACE = re.compile(r"\{(\w{1,40})\|([^{}]{0,200})\}")


def in_words_of_log(template: str, captures: Mapping[str, str]) -> str:
    """``{torch|the installed torch}`` becomes what the log said of it, else the words behind the bar."""
    return PLACE.sub(lambda m: captures.get(m[1]) or m[2], template)


def of_symbols(hits: Sequence[Hit], captures: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Why and remedy of a rule that caught an undefined symbol of torch; None for what the symbol does not tell."""
    if "symbol" not in dict(hits[0].captures):
        return None, None
    from preflight.diagnosis import symbols  # the table is read only for a log with such a symbol

    library = _library(hits[0])
    names = list(dict.fromkeys(dict(h.captures)["symbol"] for h in hits if _library(h) == library))
    torch = captures.get("torch")
    return symbols.why(names, torch), symbols.fix(names, library, torch)


def _library(hit: Hit) -> str:
    found = LIBRARY.search(hit.excerpt)
    return found[1] if found else ""
