"""Which pip commands of an image install a CUDA extension, in which form, and what will come of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from preflight.app.model import Image, PipInstall, PipPackage, Recipe, Step
from preflight.app.places import package_where
from preflight.build.images import pip_of
from preflight.facts import packages, wheels
from preflight.facts.types import Extension
from preflight.model import Where
from preflight.wording import counted

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
        return self.install.is_isolated and not self._is_isolation_off()

    def _is_isolation_off(self) -> bool:
        if f"no-build-isolation:{self.name}" in self.install.options:
            return True
        return any(key in step.env for step in self.image.steps[: self.n] for key in ISOLATION_OFF)


def ext_installs(image: Image) -> tuple[ExtInstall, ...]:
    """Every extension that the image's pip commands name, in order."""
    return tuple(_found(image))


def _found(image: Image) -> Iterator[ExtInstall]:
    for n, install in image.pip_installs():
        for package in install.packages:
            row, form = classify(package)
            if row is None and _is_local(package):
                row = _extension_in(image, n, install, package)
            if row is not None:
                yield ExtInstall(image, n, install, package, row, form)


def classify(package: PipPackage) -> tuple[Extension | None, Form]:
    """The extension that a requirement is, by its name or its repository, and in which form it is asked for."""
    url = package.url
    if not url:
        return (packages.extension(package.name) if package.name else None), Form.INDEX
    if wheels.wheel_name(url) is not None:
        name = wheels.wheel_name(url)
        return (packages.extension(name.name) if name else None), Form.WHEEL
    row = packages.extension_at(url) or (packages.extension(package.name) if package.name else None)
    return row, Form.GIT if url.startswith("git+") else Form.ARCHIVE


# --- a folder: which project ``pip install .`` builds, by its name and by what was cloned to it -----------------------


def _is_local(package: PipPackage) -> bool:
    """Whether it is a folder of the image."""
    url = package.url or ""
    return bool(url) and "://" not in url and not url.endswith((".whl", ".tar.gz", ".zip"))


def _extension_in(image: Image, n: int, install: PipInstall, package: PipPackage) -> Extension | None:
    """The CUDA extension whose checkout ``package`` is, a local path in ``install`` of step ``n``."""
    step = image.steps[n]
    path = _standing(step, install) / (package.url or "").split("[")[0]
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
    here = PurePosixPath(".")
    installs = iter(step.pip)
    for command in step.shell:
        if command.words[:1] == ("cd",) and len(command.words) > 1:
            here = here / command.words[1]
        elif pip_of(command) is not None and next(installs, None) is install:
            return here
        if command.operator == "":
            here = PurePosixPath(".")
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
    count = sum(len(source_builds(image)) for image in recipe.images)
    return counted(count, "extension from its source", "extensions from their source")


def names(found: list[ExtInstall]) -> str:
    """ "mamba-ssm and causal-conv1d", each once, in order."""
    each = list(dict.fromkeys(e.name for e in found))
    return each[0] if len(each) == 1 else f"{', '.join(each[:-1])} and {each[-1]}"


def names_are(found: list[ExtInstall]) -> str:
    """ "mamba-ssm is", "mamba-ssm and causal-conv1d are"."""
    return f"{names(found)} {'are' if len({e.name for e in found}) > 1 else 'is'}"
