"""What an image's pip commands install, one after the other, and what could not be resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from preflight.app.model import Image, PipInstall, PipPackage
from preflight.app.places import package_where
from preflight.build.surroundings import LOCKED, python_of
from preflight.build.torch_in import Held, torch_before
from preflight.facts.refresh.source import Index, NotRead
from preflight.facts.wheels import wheel_name
from preflight.model import Where
from preflight.radar.resolve import Budget, NotResolved, Place, Taken, resolve

LOCK_TOOLS = ("uv-sync", "poetry")
ASSUMED_PYTHON = "3.12"
Indexes = Callable[[PipInstall], Index]  # which index an install asks


@dataclass(frozen=True)
class Asked:
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
    asked: tuple[Asked, ...]
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
        held = {} if install.is_upgrade else taken
        try:
            found = resolve(indexes(install), wanted, place, held, budget, uv) if wanted else {}
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


def _asked(image: Image) -> Iterator[Asked]:
    for n, install in image.pip_installs():
        for package in install.packages:
            if package.name is not None and package.url is None and install.tool not in LOCK_TOOLS:
                yield Asked(package, package_where(image.steps[n], install, package), package.pin is None)
