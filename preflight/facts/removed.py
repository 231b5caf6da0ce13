"""What the Modal client had and has no more: each a rule's page and words, with what takes its place."""

from __future__ import annotations

import textwrap
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path

TABLE = Path(__file__).with_name("modal_removed.toml")
WIDTH = 112


@dataclass(frozen=True, kw_only=True)
class RemovedUse:
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


@dataclass(frozen=True, kw_only=True)
class Removed:
    id: str
    name: str
    headline: str
    looks_at: str
    why: str
    before: str
    after: str
    fix: str
    source: str
    seen: date
    how: str
    uses: tuple[RemovedUse, ...]
    is_warning: bool = False

    @cached_property
    def page(self) -> str:
        """What `explain` prints, in the form of every page."""
        sides = {"before": self.before, "after": self.after}
        parts = {
            "Looks at": _wrapped(self.looks_at),
            "Why it matters": _wrapped(self.why),
            "Example": "\n".join(f"{side:<9}" + text.replace("\n", "\n" + " " * 9) for side, text in sides.items()),
            "How to fix": _wrapped(self.fix),
            "Source": _wrapped(self.source),
        }
        return f"{self.headline}.\n\n" + "\n".join(f"{k}\n{textwrap.indent(v, '    ')}" for k, v in parts.items())


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


@cache
def removed() -> tuple[Removed, ...]:
    """Raises TypeError for a key that no row has."""
    return tuple(_rule(row) for row in tomllib.loads(TABLE.read_text("utf-8"))["rule"])


def _rule(row: dict[str, object]) -> Removed:
    uses = row.pop("use")
    assert isinstance(uses, list)
    lists = [{k: tuple(v) if isinstance(v, list) else v for k, v in use.items()} for use in uses]
    return Removed(**row, uses=tuple(RemovedUse(**use) for use in lists))  # type: ignore[arg-type]


def removed_names() -> frozenset[str]:
    """Names below ``modal.`` and Class.method that have a rule of their own."""
    return frozenset(n for r in removed() for use in r.uses for n in (*use.names, *use.methods))


def removed_keywords() -> frozenset[str]:
    return frozenset(use.keyword for r in removed() for use in r.uses if use.keyword)
