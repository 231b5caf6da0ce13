"""The form of a rule: a page, a subject, and a function that yields what is wrong with one of its kind.

The function's docstring is the page that ``explain`` prints, its headline the title, and its name the rule's.
Walking, grouping, "nothing of the kind", what was looked at, ignores and the order of findings are done here::

    @rule("IMG280", PACKAGES.only(lambda p: p.name == "torch", "install of torch"))
    def ver_torch_unpinned(recipe: Recipe, torch: Package) -> Findings:
        \"\"\"torch is pinned to an exact version.  …\"\"\"
        if not torch.pin: yield warning(…)
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar, cast

from preflight.app.lookups import BUILDER, RECIPE
from preflight.app.model import Recipe, Unresolved
from preflight.lookups import Looked, LookupFailed
from preflight.model import Answer, Check, Finding, NotApplicable, Severity, Stage, Unknown, Where
from preflight.wording import counted, listed, page_of, plural, title_of

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True)
class Context:
    """What a rule may ask for beside the recipe.  ``builder`` is None when nobody has said the version."""

    builder: str | None
    project: Path
    now: datetime


def builder_of(looked: Looked) -> str | None:
    """The Image Builder in force, for a check that tries ``BUILDER``; None where nobody has told it."""
    builder = looked.tried(BUILDER)
    return None if isinstance(builder, LookupFailed) else builder


Find = Callable[[Recipe, T], Iterable[Finding]] | Callable[[Recipe, T, Context], Iterable[Finding]]


def kept(recipe: Recipe, key: object, make: Callable[[Recipe], V]) -> V:
    """What ``make`` derives from the recipe, made once however many rules ask."""
    if key not in recipe.derived:
        recipe.derived[key] = make(recipe)
    return cast(V, recipe.derived[key])


@dataclass(frozen=True, eq=False)
class Subject(Generic[T]):
    """The things of one kind in a recipe.  ``key`` tells which are the same thing, such as a step of two images."""

    every: Callable[[Recipe], Iterable[T]]
    noun: str
    key: Callable[[T], object] = id
    amount: Callable[[Sequence[T]], int] | None = field(default=None, repr=False)
    left_open: Callable[[Recipe], Iterable[Unresolved]] = field(default=lambda recipe: (), repr=False)  # by the text

    def of(self, recipe: Recipe) -> Sequence[T]:
        return kept(recipe, self, lambda r: tuple(self.every(r)))

    def looked_at(self, recipe: Recipe) -> str:
        """ "3 pip installs"; "" when the recipe has none."""
        things = self.of(recipe)
        return counted(self.amount(things) if self.amount else len({self.key(t) for t in things}), self.noun)

    def only(self, is_one: Callable[[T], object], noun: str = "") -> Subject[T]:
        """Those that ``is_one`` holds for, by a name of their own."""
        return replace(self, every=lambda r: [t for t in self.of(r) if is_one(t)], noun=noun or self.noun)

    def resolved(self, value: Callable[[T], object]) -> Subject[T]:
        """Those of which the text decides the value; the others are left open."""
        return replace(
            self,
            every=lambda r: [t for t in self.of(r) if not isinstance(value(t), Unresolved)],
            left_open=lambda r: [v for t in self.of(r) if isinstance(v := value(t), Unresolved)],
        )

    def by(self, place: Callable[[T], object]) -> Subject[list[T]]:
        """The same things, in groups that share a place: a rule speaks once of each group."""

        def groups(recipe: Recipe) -> Iterable[list[T]]:
            found: dict[object, list[T]] = {}
            for thing in self.of(recipe):
                found.setdefault(place(thing), []).append(thing)
            return found.values()

        def amount(grouped: Sequence[list[T]]) -> int:
            return len({self.key(thing) for group in grouped for thing in group})

        return Subject(groups, self.noun, amount=amount, left_open=self.left_open)

    def together(self) -> Subject[list[T]]:
        """All of them as one: for a rule that compares them with each other."""
        return self.by(lambda _: None)


@dataclass(frozen=True, kw_only=True)
class Rule(Check):
    """A check that reads one recipe and nothing else, so its answer is there at once."""

    answer: Callable[[Recipe, Context], Answer | NotApplicable | Unknown] = field(repr=False)

    def __call__(self, recipe: Recipe, context: Context) -> tuple[Finding, ...]:
        """What it finds, if it looked."""
        answer = self.answer(recipe, context)
        return () if isinstance(answer, NotApplicable) else answer.findings


def rule(
    id: str, subject: Subject[T], *, asks_builder: bool = False, decides: bool = False
) -> Callable[[Find[T]], Rule]:
    """The check that asks the decorated function about each thing of ``subject``.

    The function takes the recipe and the thing, and the ``Context`` when it has a third parameter;
    ``asks_builder`` where the answer depends on the Image Builder in force, ``decides`` where the run can't work
    unless the rule holds: what the text leaves open is then unknown.
    """

    def of(find: Find[T]) -> Rule:
        if not find.__doc__ and sys.flags.optimize < 2:  # python -OO takes docstrings away
            raise ValueError(f"{find.__module__}.{find.__name__} has no page: its docstring")
        name, page = find.__name__.replace("_", "-"), page_of(find.__doc__)
        return rule_of(id, name, page, subject, find, asks_builder=asks_builder, decides=decides)

    return of


def rule_of(
    id: str,
    name: str,
    page: str,
    subject: Subject[T],
    find: Find[T],
    *,
    asks_builder: bool = False,
    decides: bool = False,
) -> Rule:
    """A rule whose name and page are given: for those that are rows of a table."""
    wants_context = len(inspect.signature(find).parameters) == 3

    def findings(recipe: Recipe, context: Context) -> Iterable[Finding]:
        more = (context,) if wants_context else ()
        for thing in subject.of(recipe):
            yield from cast("Callable[..., Iterable[Finding]]", find)(recipe, thing, *more)

    def answer(recipe: Recipe, context: Context) -> Answer | NotApplicable | Unknown:
        looked_at, left_open = subject.looked_at(recipe), next(iter(subject.left_open(recipe)), None)
        why = f"not resolved ({left_open.where}): {left_open.why}" if left_open else ""
        if not looked_at and not (why and decides):
            return NotApplicable(why or f"{recipe.source.path} shows no {plural(subject.noun)}")
        found, ignored = without_ignored(findings(recipe, context), recipe, (name, id))
        seen: dict[str, object] = {"looked_at": looked_at} | ({"ignored": ignored} if ignored else {})
        shown = looked_at + (f" ({ignored} ignored in the file)" if ignored else "")
        if why and decides:
            return Unknown(reason=why, seen=seen, findings=found)
        return Answer(summary=f"{counts_of(found)} in {shown}" if found else shown, seen=seen, findings=found)

    async def run(looked: Looked) -> Answer | NotApplicable | Unknown:
        builder = builder_of(looked) if asks_builder else looked.settings.builder
        return answer(looked[RECIPE], Context(builder, looked.settings.project, looked.now))

    return Rule(
        id=id,
        name=name,
        title=title_of(page),
        stage=Stage.STATIC,
        needs=(RECIPE,),
        tries=(BUILDER,) if asks_builder else (),
        run=run,
        doc=page,
        answer=answer,
    )


def counts_of(findings: Sequence[Finding]) -> str:
    """ "2 errors and 1 warning"."""
    by_severity = Counter(f.severity for f in findings)
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "piece of advice"}
    return listed([counted(by_severity[s], word) for s, word in words.items() if by_severity[s]])


def without_ignored(
    findings: Iterable[Finding], recipe: Recipe, names: tuple[str, ...]
) -> tuple[tuple[Finding, ...], int]:
    """Each finding once, in order of place, less those that a ``# preflight: ignore[…]`` on their line takes back."""
    once = {(f.where, f.message): f for f in reversed(tuple(findings))}
    wanted = {*names, "*"}
    stay = [
        f
        for f in reversed(once.values())
        if f.where is None or f.where.path != recipe.source.path or not wanted & {*recipe.ignores.get(f.where.line, ())}
    ]
    return tuple(sorted(stay, key=lambda f: f.where or Where(""))), len(once) - len(stay)
