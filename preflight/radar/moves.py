"""What an unchanged app takes now against a day before, and the pins that make today's image repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from preflight.app.model import Image, Recipe
from preflight.model import Edit, Fix, Where
from preflight.radar.image import Asked, Resolved
from preflight.radar.resolve import Taken
from preflight.rules.edits import replace_package

NAME = re.compile(r"\s*[\w.-]+(?:\[[^\]]*\])?")


@dataclass(frozen=True)
class Move:
    """A package whose release is another one.  ``asked`` is the requirement that lets it move; None: a dependency."""

    name: str
    before: Taken | None
    now: Taken | None
    asked: Asked | None
    image: Image

    @property
    def where(self) -> Where:
        return self.asked.where if self.asked else self.image.where


def moves(now: Resolved, before: Resolved) -> tuple[Move, ...]:
    """What differs, what the app asks for itself first."""
    asked = {a.package.name: a for a in now.asked if a.package.name is not None}
    found = []
    for name in {*now.taken, *before.taken}:
        new, old = now.taken.get(name), before.taken.get(name)
        if (new and new.version) != (old and old.version):
            found.append(Move(name, old, new, asked.get(name), now.image))
    return tuple(sorted(found, key=lambda m: (m.asked is None, m.name)))


def pins(recipe: Recipe, resolved: Sequence[Resolved]) -> Fix | None:
    """Each open requirement of the app's text pinned to what it takes; None where there is none to pin."""
    edits: dict[Edit, None] = {}
    for one in resolved:
        for asked in one.asked:
            taken = one.taken.get(asked.package.name or "")
            if not asked.is_open or taken is None:
                continue
            fix = replace_package(recipe, asked.package, pinned(asked, taken), is_safe=False)
            edits |= dict.fromkeys(fix.edits if fix else ())
    mine = [e for e in edits if e.path == recipe.source.path]
    apart = {(e.start, e.end): e for e in mine}  # two images that share a step take the first one's pin
    return Fix(edits=tuple(apart.values()), is_safe=False) if apart else None


def pinned(asked: Asked, taken: Taken) -> str:
    """ "torch[opt]==2.9.1" of what was written, its marker kept."""
    name = NAME.match(asked.package.written)
    marker = asked.package.written.partition(";")[2]
    head = name[0] if name else taken.name
    return f"{head}=={taken.version}" + (f";{marker}" if marker else "")


def constraints(resolved: Resolved) -> Iterator[str]:
    """Lines of a constraints file: every release that is taken, with the day it was uploaded and who asked for it."""
    for name in sorted(resolved.taken):
        taken = resolved.taken[name]
        said = [str(taken.uploaded) if taken.uploaded else "", f"of {taken.by}" if taken.by else ""]
        note = ", ".join(filter(None, said))
        yield f"{name}=={taken.version}" + (f"  # {note}" if note else "")
