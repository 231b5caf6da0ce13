"""What an image's pip commands take, what has moved since a day before, and the pins that repeat today's image."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from preflight.app.model import Image, PipInstall, PipPackage, Recipe
from preflight.app.places import package_where
from preflight.build.surroundings import LOCKED, python_of
from preflight.build.torch_in import Held, torch_before
from preflight.facts.refresh.source import Index, NotRead
from preflight.facts.wheels import wheel_name
from preflight.model import Edit, Fix, Where
from preflight.radar.resolve import Budget, NotResolved, Place, Taken, resolve
from preflight.rules.edits import replace_package

LOCK_TOOLS = ("uv-sync", "poetry")
ASSUMED_PYTHON = "3.12"
Indexes = Callable[[PipInstall], Index]  # which index an install asks


@dataclass(frozen=True)
class Requested:
    """A requirement of the app's text.  ``is_open``: it does not name one version."""

    package: PipPackage
    where: Where
    is_open: bool


@dataclass(frozen=True)
class Resolved:
    """``taken`` by name; ``unknown`` says what could not be resolved, and why."""

    image: Image
    python: str
    taken: dict[str, Taken]
    asked: tuple[Requested, ...]
    unknown: tuple[str, ...]


def resolved(image: Image, indexes: Indexes, day: date | None = None, *, uv: str | None = None) -> Resolved:
    """As pip would do it: what a command finds installed it keeps, unless it does not fit.  Raises nothing."""
    python = python_of(image)
    unknown = [] if python else [f"the image's Python is not known: {ASSUMED_PYTHON} is assumed"]
    taken: dict[str, Taken] = {}
    base = torch_before(image, 0)
    if base.held is Held.BASE and base.version:
        taken["torch"] = Taken("torch", Version(base.version), None, "the base image")
    budget = Budget()
    for n, install in image.pip_installs():
        where = image.steps[n].where
        if image.steps[n].method in LOCKED or install.tool in LOCK_TOOLS:
            unknown.append(f"{where}: {install.tool} installs what its lock file names")
            continue
        if not install.is_complete or install.requirement_files:
            unknown.append(f"{where}: the text does not say all that is installed")
        place = Place(python or ASSUMED_PYTHON, day, install.is_pre)
        wanted = list(_wanted(install, taken, unknown))
        installed = {} if install.is_upgrade else taken
        try:
            found = resolve(indexes(install), wanted, place, installed, budget, uv) if wanted else {}
        except (NotResolved, NotRead) as e:
            unknown.append(f"{where}: not resolved: {e}")
            found = {}
        taken = {
            **taken,
            **({r.name: found[r.name] for r in wanted if r.name in found} if install.is_without_deps else found),
        }
    return Resolved(image, python or ASSUMED_PYTHON, taken, tuple(_asked(image)), tuple(dict.fromkeys(unknown)))


def _wanted(install: PipInstall, taken: dict[str, Taken], unknown: list[str]) -> Iterator[Requirement]:
    """The requirements of an index; a wheel's address says its version, another address says nothing."""
    for package in install.packages:
        name = wheel_name(package.url) if package.url else None
        if name is not None:
            try:
                taken[name.name] = Taken(name.name, Version(name.version), None, "its address")
            except InvalidVersion:
                unknown.append(f"{package.written}: its version is not one")
        elif package.url or package.name is None:
            unknown.append(f"{package.written}: what it installs is not on an index")
        else:
            try:
                extras = f"[{','.join(package.extras)}]" if package.extras else ""
                marker = f"; {package.marker}" if package.marker else ""
                yield Requirement(f"{package.name}{extras}{package.specifier}{marker}")
            except InvalidRequirement:
                unknown.append(f"{package.written}: it is not a requirement")


def _asked(image: Image) -> Iterator[Requested]:
    for n, install in image.pip_installs():
        for package in install.packages:
            if package.name is not None and package.url is None and install.tool not in LOCK_TOOLS:
                yield Requested(package, package_where(image.steps[n], install, package), package.pin is None)


NAME = re.compile(r"\s*[\w.-]+(?:\[[^\]]*\])?")


@dataclass(frozen=True)
class Move:
    """A package whose release is another one.  ``asked`` is the requirement that lets it move; None: a dependency."""

    name: str
    before: Taken | None
    now: Taken | None
    asked: Requested | None
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


def pinned(asked: Requested, taken: Taken) -> str:
    """ "torch[opt]==2.9.1" of what was written, its marker kept."""
    name = NAME.match(asked.package.written)
    marker = asked.package.written.partition(";")[2]
    head = name[0] if name else taken.name
    return f"{head}=={taken.version}" + (f";{marker}" if marker else "")


def constraints(resolved: Resolved) -> Iterator[str]:
    """Lines of a constraints file: every release that is taken, with the day it was uploaded and who asked for it."""
    for name in sorted(resolved.taken):
        taken = resolved.taken[name]
        origin = [str(taken.uploaded) if taken.uploaded else "", f"of {taken.by}" if taken.by else ""]
        note = ", ".join(filter(None, origin))
        yield f"{name}=={taken.version}" + (f"  # {note}" if note else "")
