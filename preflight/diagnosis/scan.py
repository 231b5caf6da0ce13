"""One pass over the log: a literal prefilter finds lines, the patterns of the needle's own rules look at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from preflight.diagnosis.model import Failure, Hit
from preflight.diagnosis.records import LINE_BYTES, Block, Window, blocks, first_line, window
from preflight.diagnosis.rules import Rule, Signal, rulebook

HITS_KEPT = 3  # of one rule; the others are counted
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
    "exit code: ",
    "Segmentation fault",
    "Error 1",
    "Error 2",
    "npm ERR!",
    "##[error]",
    "fatal: ",
    "error[",
)
FAILURE = re.compile(
    r"^[\s>│|E*]{0,12}(?:[\w.]{1,120}(?:Error|Exception|Interrupt|Exit|Unsatisfiable\w{0,10}))(?::|$)"
    r"|\berror(?:\[\w+\])?: |^\s{0,12}ERROR: |^Error: |FAILED|terminate called|core dumped|Segmentation fault"
    r"|^Unknown options|exit (?:status|code:?) [1-9]|^make(?:\[\d+\])?: \*\*\* |^npm ERR!|##\[error\]|^\s{0,12}fatal: "
)
NOT_A_FAILURE = re.compile(r"Warning: |\b0 errors?\b|dependency resolver does not|Ignored the following|^\[notice\]")


@dataclass
class Seen:
    """What one pass found. ``counts`` is of all hits of a rule, ``hits`` keeps the first few.

    ``firm`` are the rules with a hit on a line that is more than a warning or a retry; such a hit stands first.
    """

    hits: dict[tuple[str, str], list[Hit]] = field(default_factory=dict)
    firm: set[tuple[str, str]] = field(default_factory=set)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    signals: dict[str, int] = field(default_factory=dict)
    captures: dict[str, str] = field(default_factory=dict)
    failure: Failure | None = None
    lines: int = 0


def scan(stream: Iterable[bytes], clean: Callable[[str], str]) -> Seen:
    """``clean`` redacts: what is kept of the log has been through it."""
    sieve = _sieve()
    seen = Seen()
    for block in blocks(stream):
        for at, line, text in _candidates(block, sieve.anchors):
            needles = [n for n in sieve.needles_in(text) if n in text]
            owners = {id(o): o for n in needles for o in sieve.owners.get(n, ()) if o.id not in seen.signals}
            if owners:
                where = window(block, at, line)
                for owner in owners.values():
                    _ask(owner, where, seen, clean)
            if any(n in FAILURE_NEEDLES for n in needles):
                _failure(first_line(text), line, seen, clean)
        seen.lines = block.first_line + block.data.count(b"\n", block.start, block.end) - 1
        if block.end == len(block.data) and not block.data.endswith(b"\n"):
            seen.lines += 1
    return seen


def _candidates(block: Block, anchors: tuple[re.Pattern[bytes], ...]) -> Iterator[tuple[int, int, bytes]]:
    """Each line, or piece of a very long one, in which an anchor stands: place, line number, bytes."""
    data, line, counted, at = block.data, block.first_line, block.start, block.start
    nexts = [one.search(data, at, block.end) for one in anchors]
    while founds := [f for f in nexts if f]:
        found = min(founds, key=lambda f: f.start())
        here = found.start()
        start = max(data.rfind(b"\n", counted, here) + 1, at, here - LINE_BYTES // 2)
        start = max(start, data.rfind(b"\r", start, here) + 1)
        stop = data.find(b"\n", here, here + LINE_BYTES // 2) + 1 or here + LINE_BYTES // 2
        line += data.count(b"\n", counted, here)
        counted = here
        carriage = data.find(b"\r", found.end(), stop - 2)
        if carriage > 0:
            stop = carriage + 1
        yield here, line, data[start:stop]
        at = max(stop, found.end())
        nexts = [
            one.search(data, at, block.end) if was and was.start() < at else was
            for one, was in zip(anchors, nexts, strict=True)
        ]


def _ask(owner: Rule | Signal, where: Window, seen: Seen, clean: Callable[[str], str]) -> None:
    if isinstance(owner, Rule):
        _look(owner, where, seen, clean)
    elif found := owner.pattern.search(where.text):
        seen.signals[owner.id] = where.line
        for name, value in found.groupdict().items():
            if value:
                seen.captures.setdefault(name, clean(value))


def _look(rule: Rule, where: Window, seen: Seen, clean: Callable[[str], str]) -> None:
    for pattern in rule.patterns:
        found = pattern.search(where.text)
        if found is None or found.start() > where.first_length:
            continue
        line = where.text[: where.first_length]
        if rulebook().harmless.search(line):
            return
        if rule.near is not None or rule.not_near is not None:
            around = f"{where.before()}\n{where.text}"
            if rule.near is not None and not rule.near.search(around):
                continue
            if rule.not_near is not None and rule.not_near.search(around):
                continue
        seen.counts[rule.key] = seen.counts.get(rule.key, 0) + 1
        kept = seen.hits.setdefault(rule.key, [])
        is_firm = not (rulebook().retried.search(line) or (rule.passing and rule.passing.search(line)))
        is_first_firm = is_firm and rule.key not in seen.firm
        if is_firm:
            seen.firm.add(rule.key)
        if len(kept) < HITS_KEPT or is_first_firm:
            captures = tuple((k, clean(v)) for k, v in found.groupdict().items() if v)
            hit = Hit(line=where.line, excerpt=_excerpt(where, found, clean), captures=captures)
            kept.insert(0 if is_first_firm else len(kept), hit)
            del kept[HITS_KEPT:]
        return


def _excerpt(where: Window, found: re.Match[str], clean: Callable[[str], str]) -> str:
    stop = where.text.find("\n", found.end())
    text = where.text[: stop if stop >= 0 else None]
    if len(text) > EXCERPT_CHARS:
        start = max(0, found.start() - 200)
        text = text[start : start + EXCERPT_CHARS]
    return clean(text.strip("\n"))


def _failure(text: str, line: int, seen: Seen, clean: Callable[[str], str]) -> None:
    text = text.strip()
    if FAILURE.search(text) and not NOT_A_FAILURE.search(text):
        seen.failure = Failure(line=line, excerpt=clean(text[:EXCERPT_CHARS]))


FAILURE_NEEDLES = tuple(n.encode() for n in FAILURES)
# how often a byte stands in training and build logs, of 1000, roughly; what is not named here is rarer
COMMON = {" ": 150, **dict.fromkeys("0123456789", 40), **dict.fromkeys("etaoinsr", 50), **dict.fromkeys("lcdpumh", 25),
          **dict.fromkeys("gfbyw.-_/=:,", 12), **dict.fromkeys("vkx", 5), "\n": 15}  # fmt: skip
SHORTEST_ANCHOR = 4
FREQUENT = 12


@dataclass(frozen=True)
class Sieve:
    """``anchors`` finds lines, ``needles`` says which needles an anchor may stand for, ``owners`` whose they are."""

    anchors: tuple[re.Pattern[bytes], ...]
    needles: dict[bytes, tuple[bytes, ...]]
    owners: dict[bytes, tuple[Rule | Signal, ...]]

    def needles_in(self, text: bytes) -> set[bytes]:
        """Every needle that may stand in this line; a place at which one begins inside another is looked at too."""
        found: set[bytes] = set()
        for one in self.anchors:
            at = 0
            while here := one.search(text, at):
                found.update(self.needles[here[0]])
                at = here.start() + 1
        return found


@cache
def _sieve() -> Sieve:
    """The prefilter. It looks for each needle from its rarest byte on: the search then stops at few places."""
    book = rulebook()
    own: dict[bytes, list[Rule | Signal]] = {}
    owners: tuple[Rule | Signal, ...] = (*book.signals, *book.rules)
    for owner in owners:
        for needle in owner.needles:
            own.setdefault(needle.encode(), []).append(owner)
    anchor_of = {n: _anchor(n) for n in (*own, *FAILURE_NEEDLES)}
    anchors = sorted(set(anchor_of.values()))
    # re tries every first byte in turn: two short alternations over all bytes cost 0.43 s per 25 MB, one long 0.72 s
    frequent = [a for a in anchors if COMMON.get(chr(a[0]), 1) >= FREQUENT]
    rare = [a for a in anchors if COMMON.get(chr(a[0]), 1) < FREQUENT]
    return Sieve(
        anchors=(re.compile(_trie(frequent)), re.compile(_trie(rare))),
        # the longest anchor at a place stands for the shorter ones that it begins with
        needles={a: tuple(n for n, shorter in anchor_of.items() if a.startswith(shorter)) for a in anchors},
        owners={n: tuple(o) for n, o in own.items()},
    )


def _anchor(needle: bytes) -> bytes:
    starts = range(max(1, len(needle) - SHORTEST_ANCHOR + 1))
    return needle[min(starts, key=lambda at: (COMMON.get(chr(needle[at]), 1), at)) :]


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
