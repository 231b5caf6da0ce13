"""Which pip commands of an image install a CUDA extension, in which form, and what will come of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from preflight.app.model import Image, PipInstall, PipPackage, Recipe, Step
from preflight.app.places import package_where
from preflight.build.images import pip_of, shell_strings
from preflight.build.surroundings import Base, base_of
from preflight.build.torch_in import TorchIn, torch_before
from preflight.facts import packages, wheels
from preflight.facts.types import Extension
from preflight.model import Where
from preflight.wording import counted, is_or_are, listed

OWN_INDEX = re.compile(r"^https?://(?:[\w.-]*\.)?(?:pypi|pythonhosted|download\.pytorch)\.org(?:/|$)")
TAG = re.compile(r"\.git@v?(\d[\w.]*)|(?<!git)@v?(\d[\w.]*)(?:#|$)")
KERNELS = ("mamba-ssm", "causal-conv1d")
ADDRESS = re.compile(r"^(?:https?://|git@|ssh://)")
BINDINGS = ("bindings", "torch")  # of tiny-cuda-nn
ISOLATION_OFF = ("PIP_NO_BUILD_ISOLATION", "UV_NO_BUILD_ISOLATION")


def is_known_index(url: str) -> bool:
    """Whether it is the index that pip asks by default, or torch's: what they hold is in our tables."""
    return OWN_INDEX.match(url) is not None


class Form(StrEnum):
    INDEX = "index"  # by name: PyPI holds its source only
    GIT = "git"
    ARCHIVE = "archive"  # a source archive or a path
    WHEEL = "wheel"  # a wheel's own address


@dataclass(frozen=True)
class ExtInstall:
    """One extension in one pip command.  ``n`` is the number of its step in the image."""

    image: Image
    n: int
    install: PipInstall
    package: PipPackage
    row: Extension
    form: Form

    @property
    def step(self) -> Step:
        return self.image.steps[self.n]

    @cached_property
    def base(self) -> Base | None:
        return base_of(self.image)

    @cached_property
    def torch(self) -> TorchIn:
        """What stands before it."""
        return torch_before(self.image, self.n, self.install)

    @property
    def python(self) -> str | None:
        return self.base.series if self.base is not None else None

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def where(self) -> Where:
        return package_where(self.step, self.install, self.package)

    @property
    def may_be_wheel(self) -> bool:
        """A wheel by its address, or an index or a page of links that we can't see may hold one."""
        install = self.install
        foreign = [u for u in (install.index_url, *install.extra_index_urls) if u and not is_known_index(u)]
        return (
            self.form is Form.WHEEL or bool(install.find_links) or bool(foreign) or "--only-binary" in install.options
        )

    @property
    def version(self) -> str | None:
        """The exact version asked for: of the pin, of a wheel's name, of a git tag."""
        if self.form is Form.WHEEL and self.package.url:
            name = wheels.wheel_name(self.package.url)
            return name.version if name else None
        if self.form is Form.GIT and self.package.url:
            found = TAG.search(self.package.url)
            return (found[1] or found[2]) if found else None
        pin = self.package.pin
        return pin.split("+")[0] if pin else None

    @property
    def is_isolated(self) -> bool:
        """pip builds it in an environment of its own, where the image's torch is not seen."""
        if not self.install.is_isolated or f"no-build-isolation:{self.name}" in self.install.options:
            return False
        return not any(key in step.env for step in self.image.steps[: self.n] for key in ISOLATION_OFF)


def ext_installs(image: Image) -> tuple[ExtInstall, ...]:
    """Every extension that the image's pip commands name, in order."""
    found = []
    for n, install in image.pip_installs():
        for package in install.packages:
            row, form = classify(package)
            row = row or _extension_in(image, n, install, package)
            if row is not None:
                found.append(ExtInstall(image, n, install, package, row, form))
    return tuple(found)


def classify(package: PipPackage) -> tuple[Extension | None, Form]:
    """The extension that a requirement is, by its name or its repository, and in which form it is asked for."""
    url = package.url
    if not url:
        return (packages.extension(package.name) if package.name else None), Form.INDEX
    if name := wheels.wheel_name(url):
        return packages.extension(name.name), Form.WHEEL
    row = packages.extension_at(url) or (packages.extension(package.name) if package.name else None)
    return row, Form.GIT if url.startswith("git+") else Form.ARCHIVE


# --- a folder: which project ``pip install .`` builds, by its name and by what was cloned to it -----------------------


def _extension_in(image: Image, n: int, install: PipInstall, package: PipPackage) -> Extension | None:
    """The CUDA extension whose checkout ``package`` is, a folder of the image in ``install`` of step ``n``."""
    url = package.url or ""
    if not url or "://" in url or url.endswith((".whl", ".tar.gz", ".zip")):
        return None
    path = _standing(image.steps[n], install) / url.split("[")[0]
    parts = [p for p in path.parts if p not in (".", "/")]
    if tuple(parts[-2:]) == BINDINGS:
        parts = parts[:-2]
    if not parts or parts[-1] == "..":
        return None
    address = _cloned(image.steps[: n + 1]).get(parts[-1])
    if address is not None:
        return packages.extension_at(address)
    return packages.extension(canonicalize_name(parts[-1])) or packages.extension_of_checkout(parts[-1])


def _standing(step: Step, install: PipInstall) -> PurePosixPath:
    """The folder in which the shell runs the install; "." outside a shell string."""
    installs = iter(step.pip)
    for commands in shell_strings(step):
        here = PurePosixPath(".")
        for command in commands:
            if command.words[:1] == ("cd",) and len(command.words) > 1:
                here = here / command.words[1]
            elif pip_of(command) is not None and next(installs, None) is install:
                return here
    return PurePosixPath(".")


def _cloned(steps: tuple[Step, ...]) -> dict[str, str]:
    """Name of each folder that ``git clone`` makes, with the address it came from."""
    found: dict[str, str] = {}
    for step in steps:
        for command in step.shell:
            words = command.words
            if words[:1] == ("git",) and "clone" in words[:4]:
                at = next((k for k, w in enumerate(words) if ADDRESS.match(w)), None)
                if at is not None:
                    target = words[at + 1] if len(words) > at + 1 and not words[at + 1].startswith("-") else words[at]
                    found[PurePosixPath(target).name.removesuffix(".git")] = words[at]
    return found


# --- what rules say of them -------------------------------------------------------------------------------------------


def source_builds(image: Image) -> tuple[ExtInstall, ...]:
    """Those of ``ext_installs`` whose setup.py runs in the image: it builds, or fetches its own release wheel."""
    return tuple(e for e in ext_installs(image) if not e.may_be_wheel)


def source_builds_in(recipe: Recipe) -> str:
    """ "2 extensions from their source": what a rule about such installs has looked at; empty where there is none."""
    return counted(sum(len(source_builds(image)) for image in recipe.images), "extension from its source")


def names(found: list[ExtInstall]) -> str:
    """ "mamba-ssm and causal-conv1d", each once, in order."""
    return listed(list(dict.fromkeys(e.name for e in found)), most=len(found))


def names_are(found: list[ExtInstall]) -> str:
    """ "mamba-ssm is", "mamba-ssm and causal-conv1d are"."""
    return f"{names(found)} {is_or_are({e.name for e in found})}"
