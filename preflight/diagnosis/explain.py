"""A rule's why and remedy in the words of this log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from preflight.diagnosis.model import Hit

LIBRARY = re.compile(r"([\w./+-]{1,400}\.so)\S{0,20}: undefined symbol")
PLACE = re.compile(r"\{(\w{1,40})\|([^{}]{0,200})\}")


def in_words_of_log(template: str, captures: Mapping[str, str]) -> str:
    """``{torch|the installed torch}`` becomes what the log said of it, else the words behind the bar."""
    return PLACE.sub(lambda m: captures.get(m[1]) or m[2], template)


def of_symbols(hits: Sequence[Hit], captures: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Why and remedy of a rule that caught an undefined symbol of torch; None for what the symbol does not tell."""
    if "symbol" not in dict(hits[0].captures):
        return None, None
    from preflight.binary import symbols  # the table is read only for a log with such a symbol

    library = _library(hits[0])
    names = list(dict.fromkeys(dict(h.captures)["symbol"] for h in hits if _library(h) == library))
    names += [n for n in _at_hand(library, names[0]) if n not in names]
    torch = captures.get("torch")
    return symbols.why(names, torch), symbols.fix(names, library, torch)


def _at_hand(library: str, symbol: str) -> tuple[str, ...]:
    """All of torch's symbols that the library leaves undefined, where this machine has the file that the log speaks of.

    It is that file when it asks for the very symbol; together they narrow the range to a release or two.
    """
    if not library.startswith("/"):
        return ()
    from preflight.binary.elf import Unreadable, shared_library
    from preflight.binary.files import libraries
    from preflight.facts.symbols import is_torch

    try:
        for found in libraries(Path(library)):
            undefined = shared_library(found.data).undefined
            return tuple(filter(is_torch, undefined)) if symbol in undefined else ()
    except (FileNotFoundError, Unreadable):
        pass  # the log's own words are there still
    return ()


def _library(hit: Hit) -> str:
    found = LIBRARY.search(hit.excerpt)
    return found[1] if found else ""
