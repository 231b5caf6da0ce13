"""One pass over the log: a literal prefilter finds lines, the patterns of the needle's own rules look at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from preflight.diagnosis.model import Failure, Hit
from preflight.diagnosis.records import Block, Window, blocks, window
from preflight.diagnosis.rules import Rule, Signal, rulebook

HITS_KEPT = 3  # of one rule; the others are counted
LOOKS = 2000  # at one needle; what a log says more often than that it has said already
EXCERPT_CHARS = 600
FAILURES = (
    "Traceback (most recent call last)",
    "Error: ",
    "Exception: ",
    "error: ",
    "ERROR: ",
    "Error:\n",
    "FAILED",
    "Interrupt\n",
    "terminate called",
    "core dumped",
    "Unknown options",
    "exit status ",
    "Segmentation fault",
)
FAILURE = re.compile(
    r"^(?:[\w.]{1,120}(?:Error|Exception|Interrupt|Exit|Warning))(?::|$)"
    r"|\berror: |^ERROR: |^Error: |FAILED|terminate called|core dumped|Segmentation fault"
    r"|^Unknown options|exit status [1-9]"
)
NOT_A_FAILURE = re.compile(r"Warning: |\b0 errors?\b|dependency resolver does not|Ignored the following|^\[notice\]")


@dataclass
class Seen:
    """What one pass found. ``counts`` is of all hits of a rule, ``hits`` keeps the first few."""

    hits: dict[str, list[Hit]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    signals: dict[str, int] = field(default_factory=dict)
    captures: dict[str, str] = field(default_factory=dict)
    failure: Failure | None = None
    lines: int = 0


def scan(stream: Iterable[bytes], clean: Callable[[str], str]) -> Seen:
    """``clean`` redacts: what is kept of the log has been through it."""
    sieve, owners = _sieve()
    seen = Seen()
    looks: dict[bytes, int] = {}
    for block in blocks(stream):
        told: set[tuple[str, int]] = set()
        for needle, at, line in _needles(block, sieve):
            looks[needle] = looks.get(needle, 0) + 1
            who = owners[needle]
            if looks[needle] > LOOKS and who:
                continue
            where = window(block, at, line)
            for owner in who:
                if (owner.id, line) in told:
                    continue
                if isinstance(owner, Rule):
                    if _look(owner, where, seen, clean):
                        told.add((owner.id, line))
                elif found := owner.pattern.search(where.text):
                    seen.signals.setdefault(owner.id, line)
                    for name, value in found.groupdict().items():
                        if value:
                            seen.captures.setdefault(name, clean(value))
            if needle in FAILURE_NEEDLES:
                _failure(where, seen, clean)
        seen.lines = block.first_line + block.data.count(b"\n", block.start, block.end) - 1
        if block.end == len(block.data) and not block.data.endswith(b"\n"):
            seen.lines += 1
    return seen


def _needles(block: Block, sieve: re.Pattern[bytes]) -> Iterator[tuple[bytes, int, int]]:
    line, counted = block.first_line, block.start
    for found in sieve.finditer(block.data, block.start, block.end):
        at = found.start()
        line += block.data.count(b"\n", counted, at)
        counted = at
        yield found[0], at, line


def _look(rule: Rule, where: Window, seen: Seen, clean: Callable[[str], str]) -> bool:
    for pattern in rule.patterns:
        found = pattern.search(where.text)
        if found is None or found.start() > where.first_length:
            continue
        around = f"{where.before}\n{where.text}"
        if rule.near is not None and not rule.near.search(around):
            continue
        if rule.not_near is not None and rule.not_near.search(around):
            continue
        seen.counts[rule.id] = seen.counts.get(rule.id, 0) + 1
        kept = seen.hits.setdefault(rule.id, [])
        if len(kept) < HITS_KEPT:
            captures = tuple((k, clean(v)) for k, v in found.groupdict().items() if v)
            kept.append(Hit(line=where.line, excerpt=_excerpt(where, found, clean), captures=captures))
        return True
    return False


def _excerpt(where: Window, found: re.Match[str], clean: Callable[[str], str]) -> str:
    stop = where.text.find("\n", found.end())
    text = where.text[: stop if stop >= 0 else None]
    if len(text) > EXCERPT_CHARS:
        start = max(0, found.start() - 200)
        text = text[start : start + EXCERPT_CHARS]
    return clean(text.strip("\n"))


def _failure(where: Window, seen: Seen, clean: Callable[[str], str]) -> None:
    first = where.text[: where.first_length].strip()
    if FAILURE.search(first) and not NOT_A_FAILURE.search(first):
        seen.failure = Failure(line=where.line, excerpt=clean(first[:EXCERPT_CHARS]))


FAILURE_NEEDLES = frozenset(n.encode() for n in FAILURES)


@cache
def _sieve() -> tuple[re.Pattern[bytes], dict[bytes, list[Rule | Signal]]]:
    """The prefilter, and whose needle each is. Where one needle holds another, both owners look."""
    book = rulebook()
    own: dict[bytes, list[Rule | Signal]] = {needle: [] for needle in FAILURE_NEEDLES}
    for owner in (*book.signals, *book.rules):
        for needle in owner.needles:
            own.setdefault(needle.encode(), []).append(owner)
    # finditer takes the longest at a place and goes on behind it: a needle inside another one would be missed
    whole = {n: [o for m in own if m in n for o in own[m]] for n in own}
    return re.compile(_trie(sorted(own))), whole


def _trie(words: list[bytes]) -> bytes:
    """An alternation that shares prefixes and prefers the longest: a place that matches nothing costs one look."""
    tails: dict[bytes, list[bytes]] = {}
    is_end = False
    for word in words:
        if word:
            tails.setdefault(word[:1], []).append(word[1:])
        else:
            is_end = True
    branches = [re.escape(head) + _trie(rest) for head, rest in tails.items()]
    if not branches:
        return b""
    joined = branches[0] if len(branches) == 1 and not is_end else b"(?:" + b"|".join(branches) + b")"
    return joined + b"?" if is_end else joined
