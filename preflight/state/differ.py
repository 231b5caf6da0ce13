"""Which facts differ from the last pass, the most telling for this failure first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from preflight.changes import Change, Group
from preflight.model import LOOKED, Report, Result, Severity, Stage, Status
from preflight.state.vector import Rows, Vector

LOCKS = ("uv.lock", "poetry.lock", "pylock.toml")  # their packages are facts of their own
ORDER = tuple(Group)  # where nothing points at one of them: what breaks a run that worked most often comes first
BY_STAGE: Mapping[Stage, tuple[Group, ...]] = {  # of a check that names nothing itself
    Stage.STATIC: (Group.PINS, Group.STEPS, Group.BUILDER, Group.FILES, Group.FUNCTIONS, Group.CLIENT),
    Stage.REMOTE: (Group.ACCOUNT, Group.SETTINGS, Group.FUNCTIONS),
    Stage.PAID: (Group.PINS, Group.STEPS, Group.BUILDER, Group.FUNCTIONS, Group.SETTINGS),
}
WORD = re.compile(r"[a-z0-9][a-z0-9.]*[a-z0-9]")
NAMED = 100  # a failing check's own words name it
COMMON = frozenset("the image of and to in is none not for with modal preflight app py main gpu run".split())


def changes(before: Vector, now: Vector, report: Report) -> tuple[Change, ...]:
    """Every difference between two vectors, over the groups that both have, most telling for ``report`` first."""
    found = [c for group in now if group in before for c in _changes(group, before[group], now[group])]
    failed = [r for r in report.results if r.status not in (Status.PASS, Status.SKIP)]
    causes = [r for r in failed if r.status in LOOKED] or failed
    words = [_words(r) for r in causes]
    elsewhere = _told_elsewhere(found, report.target.app)
    return tuple(sorted(found, key=lambda c: (c in elsewhere, -_score(c, causes, words), c.group, c.name)))


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str | None, str | None]]:
    """Every name whose value is not the same, with both; None where it is not there."""
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            yield name, before.get(name), now.get(name)


def _changes(group: str, before: Rows, now: Rows) -> Iterator[Change]:
    for name, old, new in differing(before, now):
        if group == Group.STEPS and old is not None and new is not None:
            yield from _steps(name, old.split("\n"), new.split("\n"))
        else:
            yield Change(group=group, name=name, before=old, after=new)


def _steps(image: str, old: list[str], new: list[str]) -> Iterator[Change]:
    """The steps that were added, taken away, moved or written anew."""
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            before, after = " ; ".join(old[i:j]) or None, " ; ".join(new[k:m]) or None
            yield Change(group=Group.STEPS, name=f"{image}, step {max(k, 0) + 1}", before=before, after=after)


def _told_elsewhere(found: list[Change], app: str | None) -> list[Change]:
    """Files whose change other facts tell better: the app's, a lock file, pyproject.toml."""
    groups = {c.group for c in found}
    elsewhere = {name for name in LOCKS if any(c.group == Group.PINS and c.name.endswith(f"({name})") for c in found)}
    if app is not None and groups & {Group.PINS, Group.STEPS, Group.FUNCTIONS}:
        elsewhere.add(app)
    if Group.SETTINGS in groups:
        elsewhere.add("pyproject.toml")
    return [c for c in found if c.group == Group.FILES and c.name in elsewhere]


def _score(change: Change, causes: list[Result], words: list[frozenset[str]]) -> float:
    best = 0.0
    for result, named_by in zip(causes, words, strict=True):
        about = result.check.about or BY_STAGE[result.check.stage]
        place = 40 - 4 * about.index(change.group) if change.group in about else 0
        shared = _names(change) & named_by
        named = NAMED + 5 * len(shared) if shared else 0
        weight = 1.0 if result.status in (Status.FAIL, Status.ERROR) else 0.5
        best = max(best, weight * (place + named))
    last = len(ORDER)
    return best + (last - ORDER.index(change.group) if change.group in ORDER else 0) / last


def _words(result: Result) -> frozenset[str]:
    """The words in which a check says what is wrong, and where."""
    texts = [result.reason, result.check.name]
    for finding in result.findings:
        if finding.severity is not Severity.INFO:
            texts += [finding.message, *finding.evidence, str(finding.where or "")]
    return frozenset(w for text in texts for w in _split(text))


def _names(change: Change) -> frozenset[str]:
    """The words that name a change: a package, a secret, a file, a variable; of a step, what is new in it."""
    texts = [change.name]
    if change.group == Group.STEPS:
        old, new = set(_split(change.before or "")), set(_split(change.after or ""))
        return frozenset(old ^ new)
    if change.group in (Group.FUNCTIONS, Group.ACCOUNT, Group.BUILDER, Group.VARIABLES, Group.SETTINGS, Group.GPU):
        texts += [change.before or "", change.after or ""]
    return frozenset(w for text in texts for w in _split(text))


def _split(text: str) -> Iterator[str]:
    for word in WORD.findall(text.lower().replace("_", "-").replace("-", "")):
        if len(word) > 2 and word not in COMMON and not word.isdigit():
            yield word
