"""A rule's why and remedy in the words of this log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from preflight.diagnosis.model import Hit
from preflight.diagnosis.rules import Rule
from preflight.facts.images import cuda_devel_tag
from preflight.facts.torch import cuda_of

LIBRARY = re.compile(r"([\w./+-]{1,400}\.so)\S{0,20}: undefined symbol")
PLACE = re.compile(r"\{(\w{1,40})(?:\|([^{}]{0,200}))?\}")


def in_words_of_log(template: str, captures: Mapping[str, str]) -> str:
    """``{torch|the installed torch}`` becomes what the log said of it, else the words behind the bar."""
    for _ in range(2):  # what stands behind a bar may hold a place itself
        template = PLACE.sub(lambda m: captures.get(m[1]) or m[2] or "", template)
    return template


def remedy_for(rule: Rule, signals: Iterable[str], captures: Mapping[str, str]) -> str:
    """The first remedy of which all conditions hold: a signal seen or a value captured, or with ``!`` neither."""
    seen = {*signals, *captures, *(f"{name}={value}" for name, value in captures.items())}
    for conditions, text in rule.remedies:
        if all((c.removeprefix("!") in seen) is not c.startswith("!") for c in conditions):
            return text
    return rule.remedy


def derived(captures: Mapping[str, str]) -> dict[str, str]:
    """What the tables add: ``devel``, the image to build for this torch in, and the tags (cu124) of both CUDAs."""
    cuda = captures.get("torch_cuda") or cuda_of(captures.get("torch", "")) or ""
    sides = {"torch_tag": cuda, "toolkit_tag": captures.get("toolkit", "")}
    found = {name: f"cu{version.replace('.', '')}" for name, version in sides.items() if version[:1].isdigit()}
    tag = cuda_devel_tag(cuda) if cuda[:1].isdigit() else None
    return found | ({"devel": f"nvidia/cuda:{tag}"} if tag else {})


def with_word(rule: Rule, captures: dict[str, str]) -> dict[str, str]:
    word = rule.words.get(captures.get(rule.words_of, ""))
    return captures if word is None else captures | {"word": word}


def of_symbols(hits: Sequence[Hit], captures: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Why and remedy of a rule that caught an undefined symbol of torch; None for what the symbol does not tell."""
    if "symbol" not in dict(hits[0].captures):
        return None, None
    from preflight.binary import symbols  # the table is read only for a log with such a symbol

    library = _library(hits[0])
    names = list(dict.fromkeys(dict(h.captures)["symbol"] for h in hits if _library(h) == library))
    names += [n for n in _at_hand(library, names[0]) if n not in names]
    torch = captures.get("torch")
    fix = symbols.fix(names, library, torch)
    if fix and library.startswith("/") and "-packages/" not in library:
        fix = f"delete {library}, a leftover in a source folder that is imported before the installed one; then {fix}"
    return symbols.why(names, torch), fix


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
