"""One pass over the log: a literal prefilter finds lines, the patterns of the needle's own rules look at them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from ahocorasick_rs import BytesAhoCorasick, Implementation

from preflight.diagnosis.model import Failure, Hit
from preflight.diagnosis.records import LINE_BYTES, Block, Window, blocks, first_line, whole_words, window
from preflight.diagnosis.rules import Rule, Signal, rulebook

HITS_KEPT = 3  # of one rule; the others are counted
COUNTED = 99  # hits of one rule; from then on it is looked for no more: a log may hold one on every line
EXCERPT_CHARS = 600
RAISED = re.compile(
    r"[\s>│|E*]{0,12}"
    r"(?:[\w.]{1,120}(?:Error|Exception|Interrupt|Exit|Unsatisfiable\w{0,10})(?::|$)|Error: |ERROR: |fatal: )"
)
EXITED = re.compile(r"exit (?:status|code:?) [1-9]")
MADE = re.compile(r"(?<!\w)error(?:\[\w{1,40}\])?: |make(?:\[\d{1,4}\])?: \*\*\* ")
# signs of a failure, and what makes sure; None where the sign is enough
FAILURES: dict[str, re.Pattern[str] | None] = {
    "Error: ": RAISED,
    "Exception: ": RAISED,
    "ERROR: ": RAISED,
    "Error:\n": RAISED,
    "Interrupt\n": RAISED,
    "fatal: ": RAISED,
    "error: ": MADE,
    "error[": MADE,
    "Error 1": MADE,
    "Error 2": MADE,
    "exit status ": EXITED,
    "exit code: ": EXITED,
    "Traceback (most recent call last)": None,
    "FAILED": None,
    "terminate called": None,
    "core dumped": None,
    "Segmentation fault": None,
    "Unknown options": None,
    "npm ERR!": None,
    "##[error]": None,
}
NOT_A_FAILURE = re.compile(r"Warning: |\b0 errors?\b|dependency resolver does not|Ignored the following|^\[notice\]")


@dataclass
class Seen:
    """What one pass found. ``counts`` is of all hits of a rule, ``hits`` keeps the first few.

    ``firm`` are the rules with a hit on a line that is more than a warning or a retry; such a hit stands first.
    ``tried`` is the line of a rule's last retry. ``warned`` and ``failed_at`` are steps, which count the places looked
    at: what came first of a rule's first warning and of the last failure.
    """

    hits: dict[tuple[str, str], list[Hit]] = field(default_factory=dict)
    firm: set[tuple[str, str]] = field(default_factory=set)
    tried: dict[tuple[str, str], int] = field(default_factory=dict)
    warned: dict[tuple[str, str], int] = field(default_factory=dict)
    failed_at: int = 0
    steps: int = 0
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    signals: dict[str, int] = field(default_factory=dict)
    captures: dict[str, str] = field(default_factory=dict)
    failure: Failure | None = None
    lines: int = 0

    def has_enough_of(self, owner: Rule | Signal) -> bool:
        if isinstance(owner, Signal):
            return owner.id in self.signals
        return owner.key in self.firm and self.counts[owner.key] >= COUNTED


def scan(stream: Iterable[bytes], clean: Callable[[str], str]) -> Seen:
    """``clean`` redacts: what is kept of the log has been through it."""
    sieve = _sieve()
    seen = Seen()
    for block in blocks(stream):
        signs: list[tuple[int, int, bytes, frozenset[int]]] = []
        for at, line, text in _candidates(block, sieve.finder):
            seen.steps += 1
            needles = {n for n, _, _ in sieve.finder.find_matches_as_indexes(text, overlapping=True)}
            owners = {id(o): o for n in sorted(needles) for o in sieve.owners[n] if not seen.has_enough_of(o)}
            if owners:
                where = window(block, at, line)
                for owner in owners.values():
                    _ask(owner, where, seen, clean)
            if found := sieve.failures & needles:
                signs.append((seen.steps, line, text, found))
        _last_failure(signs, sieve, seen, clean)
        seen.lines = block.first_line + block.data.count(b"\n", block.start, block.end) - 1
        if block.end == len(block.data) and not block.data.endswith(b"\n"):
            seen.lines += 1
    return seen


def _candidates(block: Block, finder: BytesAhoCorasick) -> Iterator[tuple[int, int, bytes]]:
    """Each line, or piece of a very long one, in which a needle stands: place, line number, bytes."""
    data, line, counted, at = block.data, block.first_line, block.start, block.start
    for _, offset, length in finder.find_matches_as_indexes(memoryview(data)[block.start :]):
        here, after = block.start + offset, block.start + length
        if here < at:
            continue
        if here >= block.end:
            return
        start = max(data.rfind(b"\n", counted, here) + 1, at, here - LINE_BYTES // 2)
        start = whole_words(data, max(start, data.rfind(b"\r", start, here) + 1), here)
        stop = data.find(b"\n", here, here + LINE_BYTES // 2) + 1 or here + LINE_BYTES // 2
        line += data.count(b"\n", counted, here)
        counted = here
        carriage = data.find(b"\r", after, stop - 2)
        if carriage > 0:
            stop = carriage + 1
        yield here, line, data[start:stop]
        at = max(stop, after)


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
        is_retry = rulebook().retried.search(line) is not None
        is_firm = not is_retry and (rule.passing is None or rule.passing.search(line) is None)
        if is_retry:
            seen.tried[rule.key] = where.line
        is_first_firm = is_firm and rule.key not in seen.firm
        if is_firm:
            seen.firm.add(rule.key)
        else:
            seen.warned.setdefault(rule.key, seen.steps)
        if len(kept) < HITS_KEPT or is_first_firm:
            captures = tuple((k, clean(v)) for k, v in found.groupdict().items() if v)
            hit = Hit(line=where.line, excerpt=_excerpt(where, found, clean), captures=captures)
            kept.insert(0 if is_first_firm else len(kept), hit)
            del kept[HITS_KEPT:]
        return


def _excerpt(where: Window, found: re.Match[str], clean: Callable[[str], str]) -> str:
    """Redacted before it is cut, or a cut could part a secret from its name."""
    stop = where.text.find("\n", found.end())
    text = clean(where.text[: stop if stop >= 0 else None].strip("\n"))
    if len(text) > EXCERPT_CHARS:
        start = max(0, text.find(found[0][:EXCERPT_CHARS]) - EXCERPT_CHARS // 3)
        text = text[start : start + EXCERPT_CHARS]
    return text


def _last_failure(
    signs: list[tuple[int, int, bytes, frozenset[int]]], sieve: Sieve, seen: Seen, clean: Callable[[str], str]
) -> None:
    """Only the last one is kept, so the signs are looked at from the end: a log may hold one on every line."""
    for step, line, raw, found in reversed(signs):
        text = first_line(raw).strip("\r\n")
        proofs = [sieve.proofs[number] for number in found]
        if any(p is None or (p.match(text) if p is RAISED else p.search(text)) for p in proofs):
            if NOT_A_FAILURE.search(text):
                continue
            seen.failed_at = step
            seen.failure = Failure(line=line, excerpt=clean(text.strip())[:EXCERPT_CHARS])
            return


@dataclass(frozen=True)
class Sieve:
    """``finder`` knows all needles at once; ``owners`` says whose the needle of a number is, ``failures`` which are
    signs of a failure, ``proofs`` what makes sure of each of these.
    """

    finder: BytesAhoCorasick
    owners: tuple[tuple[Rule | Signal, ...], ...]
    failures: frozenset[int]
    proofs: tuple[re.Pattern[str] | None, ...]


@cache
def _sieve() -> Sieve:
    """The prefilter: one automaton over all needles reads 50 MB in 0.13 s, where `re` took 2 to 4 s."""
    book = rulebook()
    own: dict[str, list[Rule | Signal]] = {needle: [] for needle in FAILURES}
    owners: tuple[Rule | Signal, ...] = (*book.signals, *book.rules)
    for owner in owners:
        for needle in owner.needles:
            own.setdefault(needle, []).append(owner)
    return Sieve(
        finder=BytesAhoCorasick([n.encode() for n in own], implementation=Implementation.DFA),
        owners=tuple(tuple(o) for o in own.values()),
        failures=frozenset(range(len(FAILURES))),
        proofs=tuple(FAILURES.values()),
    )
