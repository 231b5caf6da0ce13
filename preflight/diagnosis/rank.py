"""From hits to causes: by mechanism. What another cause explains is folded under it, wherever it stands."""

from __future__ import annotations

from preflight.diagnosis.explain import in_words_of_log, of_symbols
from preflight.diagnosis.model import Cause
from preflight.diagnosis.rules import Rule, rulebook
from preflight.diagnosis.scan import Seen


def causes(seen: Seen) -> tuple[Cause, ...]:
    """The first cause first. A symptom or wrapper stands alone only where nothing names a mechanism."""
    held: dict[str, Rule] = {}
    for rule in rulebook().rules:
        if rule.key in seen.hits and _holds(rule, seen):
            first = held.setdefault(rule.id, rule)
            if _line(rule, seen) < _line(first, seen):
                held[rule.id] = rule
    if not held:
        return ()
    explained = {other for r in held.values() for other in r.explains}
    roots = [r for r in held.values() if r.id not in explained] or list(held.values())
    top = max(r.tier for r in roots)
    roots = sorted((r for r in roots if r.tier == top), key=lambda r: _line(r, seen))
    folded = [r for r in held.values() if r not in roots]
    return tuple(_cause(r, folded if r is roots[0] else [], seen) for r in roots)


def _line(rule: Rule, seen: Seen) -> int:
    return seen.hits[rule.key][0].line


def _holds(rule: Rule, seen: Seen) -> bool:
    if rule.key not in seen.firm and not _came_to_nothing(rule, seen):
        return False
    if rule.needs and not any(s in seen.signals for s in rule.needs):
        return False
    return not any(s in seen.signals for s in rule.unless)


def _came_to_nothing(rule: Rule, seen: Seen) -> bool:
    """A failure follows the warning, or the log's last line is the retry."""
    if seen.failed_at > seen.warned[rule.key]:
        return True
    return seen.lines > 1 and seen.tried.get(rule.key) == seen.lines


def _cause(rule: Rule, folded: list[Rule], seen: Seen) -> Cause:
    hits = seen.hits[rule.key]
    captures = {**seen.captures, **dict(hits[0].captures)}
    why, remedy = of_symbols(hits, captures)
    return Cause(
        rule=rule.id,
        title=rule.title,
        phase=rule.phase,
        line=hits[0].line,
        excerpt=hits[0].excerpt,
        why=why or in_words_of_log(rule.why, captures),
        remedy=remedy or in_words_of_log(rule.remedy, captures),
        explains=tuple(r.id for r in folded),
        explained_lines=sum(seen.counts[r.key] for r in folded) + seen.counts[rule.key] - 1,
        confidence=rule.confidence,
        source=rule.source,
    )
