"""Which torch an image holds when one of its pip commands runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from preflight.app.model import Image, PipInstall, PipPackage
from preflight.app.places import package_where
from preflight.build.surroundings import LOCKED, base_of, installs_before, python_of
from preflight.facts import packages
from preflight.facts import torch as facts
from preflight.facts.load import rows
from preflight.facts.types import TORCH
from preflight.facts.wheels import wheel_name
from preflight.model import Where


class Held(StrEnum):
    ABSENT = "absent"
    PINNED = "pinned"  # torch==X
    LOOSE = "loose"  # torch, torch>=X: the newest that fits, today
    BROUGHT = "brought"  # by a package that depends on it
    BASE = "base"  # by the base image
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Torch:
    """A release that is known, by the text or by what is the newest today.  ``cuda`` is "cpu" for a CPU build."""

    version: str
    cuda: str | None
    is_exact: bool  # a pin, or the base's tag, says it
    build: str | None = None

    @property
    def has_cxx11_abi(self) -> bool | None:
        return facts.has_cxx11_abi(self.version, self.build)


@dataclass(frozen=True)
class TorchIn:
    """``expected`` is the release of the pin or of the base's tag; for LOOSE the newest of today that fits."""

    held: Held
    expected: str | None = None
    cuda: str | None = None  # torch's own; "cpu" for a CPU build
    n: int = -1
    install: PipInstall | None = None
    package: PipPackage | None = None

    @property
    def is_exact(self) -> bool:
        return self.held in (Held.PINNED, Held.BASE)

    @property
    def version(self) -> str | None:
        """The release, where the text says it."""
        return self.expected if self.is_exact else None

    def where(self, image: Image) -> Where:
        """Of the requirement that names it; of the base that holds it."""
        step = image.steps[max(self.n, 0)]
        return package_where(step, self.install, self.package) if self.install is not None else step.where

    @property
    def known(self) -> Torch | None:
        """None where the version does not follow from the text and the tables."""
        return Torch(self.expected, self.cuda, self.is_exact, self.build) if self.expected is not None else None

    @property
    def build(self) -> str | None:
        """ "cu121" where the version or the index says it; None for PyPI's own build."""
        index = self.install.index_url or "" if self.install else ""
        return facts.build_in(self.version or "") or facts.build_in(index)


ABSENT, UNKNOWN = TorchIn(Held.ABSENT), TorchIn(Held.UNKNOWN)


def torch_before(image: Image, n: int, install: PipInstall | None = None) -> TorchIn:
    """The torch that stands in the image before ``install`` of step ``n`` (before the step, without it)."""
    state = _of_base(image)
    for m, each in installs_before(image, n, install):
        state = _after(state, image, m, each)
    if state.held not in (Held.ABSENT, Held.BROUGHT):
        return state
    is_open = any(s.method in LOCKED or (s.pip and not s.is_complete) for s in image.steps[:n])
    return UNKNOWN if is_open or not image.is_complete else state


def torch_at_end(image: Image) -> TorchIn:
    return torch_before(image, len(image.steps))


def torch_for_wheel(image: Image, n: int, install: PipInstall) -> TorchIn:
    """What a wheel of ``install`` is loaded under: the torch of the finished image, else that of its own time."""
    at_end = torch_at_end(image)
    return at_end if at_end.known else torch_with(image, n, install)


def torch_with(image: Image, n: int, install: PipInstall) -> TorchIn:
    """The torch that stands in the image after ``install`` of step ``n``."""
    return _after(torch_before(image, n, install), image, n, install)


def _of_base(image: Image) -> TorchIn:
    base = base_of(image)
    if base is None:
        return UNKNOWN
    if base.pytorch_tag is not None and not base.adds_python:
        return TorchIn(Held.BASE, base.pytorch_tag.torch, base.pytorch_tag.cuda, 0)
    if base.is_slim or (base.adds_python and base.row is not None and not base.row.is_served):
        return ABSENT
    if base.row is None or "torch" in base.row.holds:
        return UNKNOWN
    return ABSENT


def _after(state: TorchIn, image: Image, n: int, install: PipInstall) -> TorchIn:
    if install.tool in ("uv-sync", "poetry"):
        return UNKNOWN
    package = next((p for p in install.packages if p.name == "torch"), None)
    if package is not None:
        return _named(state, image, n, install, package)
    if install.is_without_deps:
        return state
    if state.held is Held.ABSENT:
        if not install.is_complete:
            return UNKNOWN
        if any(p.name and packages.depends_on_torch(p.name) for p in install.packages):
            return TorchIn(Held.BROUGHT, n=n, install=install)
    elif install_pins_torch(install):
        return UNKNOWN
    return state


def install_pins_torch(install: PipInstall) -> bool:
    """Whether another package of the same command asks for one exact torch."""
    return any(p.name and packages.pins_torch(p.name) and p.name not in COMPANIONS for p in install.packages)


COMPANIONS = frozenset({"torchvision", "torchaudio"})  # installed with a torch there, they follow it or say so


def _named(state: TorchIn, image: Image, n: int, install: PipInstall, package: PipPackage) -> TorchIn:
    if package.url:
        name = wheel_name(package.url)
        return TorchIn(Held.PINNED, name.version, None, n, install, package) if name else UNKNOWN
    pin = package.pin
    index = install.index_url or next((u for u in install.extra_index_urls if "download.pytorch.org" in u), None)
    if pin is not None and not any(mark in pin for mark in ("$", "{")):
        return TorchIn(Held.PINNED, pin, facts.cuda_of(pin, index), n, install, package)
    if install_pins_torch(install):
        return UNKNOWN  # the newest that the other package takes
    is_there = state.held not in (Held.ABSENT, Held.UNKNOWN)
    if is_there and not package.specifier and not install.is_upgrade and not install.is_forced:
        return state
    if install.is_pre or (index and "nightly" in index):
        return TorchIn(Held.LOOSE, n=n, install=install, package=package)
    expected = _newest(package.specifier, python_of(image), index)
    cuda = facts.cuda_of(expected, index) if expected else None
    return TorchIn(Held.LOOSE, expected, cuda, n, install, package)


def _newest(specifier: str, python: str | None, index: str | None) -> str | None:
    """The newest torch of the table that fits; None when Python is not known or nothing fits."""
    try:
        wanted = SpecifierSet(specifier)
    except InvalidSpecifier:
        return None
    if index is not None and "download.pytorch.org" not in index:
        return None
    build = facts.build_in(index or "")
    for row in reversed(rows(TORCH)):
        if python is not None and python not in row.python:
            continue
        if build is not None and build not in row.builds:
            if not row.builds_known:
                return None
            continue
        for patch in reversed(row.patches):
            if wanted.contains(patch):
                return patch
    return None
