"""How numbers of things read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection
from functools import cache

PROPER = ("Modal", "Python")  # a title begins in lower case, but for these and for abbreviations
VERB = re.compile(r" that (\w+s)\b")
PLURALS = {"is": "are", "has": "have", "copies": "copy", "passes": "pass"}
SECTION = re.compile(r"^(Looks at|Why it matters|Example|How to fix|Source):\s+", re.MULTILINE)
FIRST_NOUN = re.compile(r"(.+?)((?: (?:of|from|that|with|without|in|at|by|under|on|to|for|beside)\b.*)?)")


def counted(count: int, noun: str, nouns: str = "") -> str:
    """ "1 volume", "3 volumes"; "" for none, which a rule gives as having nothing to look at."""
    if count == 0:
        return ""
    return f"{count} {noun if count == 1 else nouns or plural(noun)}"


@cache
def plural(noun: str) -> str:
    """ "pip installs" of "pip install", "prefixes of a bucket", "steps that run code", "wheels by their address"."""
    found = FIRST_NOUN.fullmatch(noun)
    head, rest = (found[1], found[2]) if found else (noun, "")
    rest = VERB.sub(lambda verb: f" that {PLURALS.get(verb[1], verb[1].removesuffix('s'))}", rest)
    return f"{head}{'es' if head.endswith(('s', 'x', 'ch', 'sh')) else 's'}{rest.replace(' its ', ' their ')}"


def is_or_are(names: Collection[object]) -> str:
    return "is" if len(names) == 1 else "are"


def listed(names: tuple[str, ...] | list[str], most: int = 4) -> str:
    """ "a, b and c"; past ``most`` the rest is counted."""
    shown = list(names[:most])
    if len(names) > most:
        shown = [*shown, f"{len(names) - most} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def page_of(docstring: str | None) -> str:
    """The page that `explain` prints: the name of each section stands in a line of its own."""
    return SECTION.sub(r"\1\n    ", inspect.cleandoc(docstring or ""))


def title_of(page: str) -> str:
    """The page's headline as the checklist shows it: "the image names its Python"."""
    headline = page.partition("\n")[0].removesuffix(".")
    first = headline.split(" ")[0].split("'")[0]
    return (
        headline[:1].lower() + headline[1:]
        if (first[1:].islower() or len(first) == 1) and first not in PROPER
        else headline
    )
