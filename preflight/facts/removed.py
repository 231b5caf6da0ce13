"""What the Modal client had and has no more: each a rule's page and words, with what takes its place."""

from __future__ import annotations

import textwrap

import msgspec

from preflight.facts.load import rows
from preflight.facts.types import Row, Table
from preflight.toml_rows import Typed

WIDTH = 112


class RemovedUse(Typed, frozen=True, kw_only=True):
    """One way to use it; the table's head says what each key means."""

    message: str
    remedy: str
    why: str
    names: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    keyword: str = ""
    of: tuple[str, ...] = ()
    new: str = ""
    adds: str = ""
    when: str = ""
    is_importable: bool = False


class Removed(Row, frozen=True, kw_only=True):
    id: str
    name: str
    headline: str
    looks_at: str
    why: str
    before: str
    after: str
    fix: str
    uses: tuple[RemovedUse, ...] = msgspec.field(name="use")
    is_warning: bool = False

    @property
    def page(self) -> str:
        """What `explain` prints, in the form of every page."""
        text = textwrap.TextWrapper(WIDTH, break_long_words=False, break_on_hyphens=False)
        sides = {"before": self.before, "after": self.after}
        parts = {
            "Looks at": text.fill(self.looks_at),
            "Why it matters": text.fill(self.why),
            "Example": "\n".join(f"{side:<9}" + code.replace("\n", "\n" + " " * 9) for side, code in sides.items()),
            "How to fix": text.fill(self.fix),
            "Source": text.fill(self.source),
        }
        return f"{self.headline}.\n\n" + "\n".join(f"{k}\n{textwrap.indent(v, '    ')}" for k, v in parts.items())


REMOVED = Table("modal_removed.toml", "rule", Removed, "what the Modal client has lost", ("id",))


def removed() -> tuple[Removed, ...]:
    return rows(REMOVED)


def removed_names() -> frozenset[str]:
    """Names below ``modal.`` and Class.method that have a rule of their own."""
    return frozenset(n for r in removed() for use in r.uses for n in (*use.names, *use.methods))


def removed_keywords() -> frozenset[str]:
    return frozenset(use.keyword for r in removed() for use in r.uses if use.keyword)
