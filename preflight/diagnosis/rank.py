"""From hits to causes: by mechanism. What another cause explains is folded under it, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from preflight.diagnosis.explain import derived, in_words_of_log, of_symbols, remedy_for
from preflight.diagnosis.model import Cause, Hit, Weight
from preflight.diagnosis.rules import How, Rule, rulebook
from preflight.diagnosis.scan import Seen
from preflight.diagnosis.story import how

SUBJECTS = ("word", "package", "requirement", "module", "name")  # what an app may install under that name


@dataclass(frozen=True)
class Standing:
    """A rule with those of its hits that the log's end leaves as they are, the one that proves most first."""

    rule: Rule
    hits: tuple[Hit, ...]

    @property
    def rank(self) -> tuple[bool, int, int]:
        """A wrapper comes last; then what is more than a warning; then what names the mechanism."""
        weight = max(h.weight for h in self.hits)
        return (self.rule.tier > 1, self.rule.tier if weight is Weight.FIRM else 0, weight)


def causes(seen: Seen) -> tuple[Cause, ...]:
    """The first cause first. A symptom or wrapper stands alone only where nothing names a mechanism."""
    of_rule: dict[str, Standing] = {}
    for one in _left(tuple(_standing(seen)), seen):
        first = of_rule.setdefault(one.rule.id, one)
        if (one.rank[1:], -one.hits[0].line) > (first.rank[1:], -first.hits[0].line):
            of_rule[one.rule.id] = one
    standing = list(of_rule.values())
    explained = {other for s in standing for other in s.rule.explains}
    roots = [s for s in standing if s.rule.id not in explained] or standing
    top = max((s.rank for s in roots), default=None)
    roots = sorted((s for s in roots if s.rank == top), key=lambda s: s.hits[0].at)
    folded = [s for s in standing if s not in roots]
    return tuple(_cause(s, folded if s is roots[0] else [], seen) for s in roots)


def _standing(seen: Seen) -> Iterable[Standing]:
    signals = seen.signals.keys()
    for rule in rulebook().rule:
        if (rule.needs and signals.isdisjoint(rule.needs)) or not signals.isdisjoint(rule.unless):
            continue
        hits = [h for h in seen.hits.get(rule.key, ()) if _stands(rule, h, seen)]
        if hits:
            yield Standing(rule, tuple(sorted(hits, key=lambda h: (h.weight < Weight.WARNED, h.at))))


def _stands(rule: Rule, hit: Hit, seen: Seen) -> bool:
    """Not what was caught, or survived, or tried again until it worked."""
    if rule.tier == 1 and seen.failure is not None and how(seen.failure.excerpt) in (How.BADLY, How.KILLED):
        return False  # a wrapper, and what it wraps is in the log
    if rule.needs_last == "loss":
        return not seen.story.last_loss_is_finite
    if rule.needs_last == "restart":
        return seen.story.restarted_at is not None and hit.at < seen.story.restarted_at.at
    if hit.weight is Weight.CAUGHT:
        return False
    if seen.story.was_survived(hit.at, hit.origin, seen.failed_at):
        return rule.is_lasting and not seen.story.ended_well(seen.failed_at)
    if hit.weight is Weight.FIRM:
        return True
    if hit.weight is Weight.RETRIED and seen.lines > 1 and hit.line == seen.lines:
        return True
    return seen.failed_at > hit.at


def _left(standing: tuple[Standing, ...], seen: Seen) -> Iterable[Standing]:
    """Without what a handler caught and then failed of itself; what it only put in other words stays."""
    for one in standing:
        hits = tuple(h for h in one.hits if not _is_past(one.rule, h, standing, seen))
        if hits:
            yield Standing(one.rule, hits)


def _is_past(rule: Rule, hit: Hit, standing: tuple[Standing, ...], seen: Seen) -> bool:
    """What came in the handler ended the program; a resource that ran out is not what a handler waits for."""
    after = next((h for h in seen.story.handled if hit.at in h.first), None)
    if after is None or after.is_translated or rule.needs_last:
        return False
    return rule.phase != "runtime" or any(h.at in after.last for s in standing for h in s.hits if s.rule.id != rule.id)


def _cause(standing: Standing, folded: list[Standing], seen: Seen) -> Cause:
    rule, hits = standing.rule, standing.hits
    captures = {**seen.captures, **hits[0].captures}
    captures |= derived(captures)
    if (word := rule.words.get(captures.get(rule.words_of, ""))) is not None:
        captures["word"] = word
    why, remedy = of_symbols(hits, captures)
    return Cause(
        rule=rule.id,
        title=rule.title,
        phase=rule.phase,
        line=hits[0].line,
        excerpt=hits[0].excerpt,
        why=why or in_words_of_log(rule.why, captures),
        remedy=remedy or in_words_of_log(remedy_for(rule, seen.signals, captures), captures),
        explains=tuple(s.rule.id for s in folded),
        explained_lines=sum(seen.counts[s.rule.key] for s in folded) + seen.counts[rule.key] - 1,
        confidence=rule.confidence,
        source=rule.source,
        subject=next((captures[n] for n in SUBJECTS if n in captures), ""),
        concerns=rule.concerns,
    )
