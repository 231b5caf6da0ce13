"""What building an app's images will download, as far as its text says: base images, torch wheels, release wheels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from preflight.app.model import Image, Recipe
from preflight.build.ext_steps import Form
from preflight.build.forecast import forecasts_of_image
from preflight.build.surroundings import base_of, python_of
from preflight.facts.images import split_reference
from preflight.facts.wheels import file_of, wheel_name
from preflight.model import Where

HUB = "docker.io"
PLACEHOLDER = re.compile(r"[${}\s]")
HAS_HOST = re.compile(r"[.:]|^localhost$")


@dataclass(frozen=True)
class Asset:
    """A file by its address."""

    url: str


@dataclass(frozen=True)
class OnIndex:
    """A release of torch on one of ``indexes``; None among them is pip's own default index."""

    version: str
    python: str
    indexes: tuple[str | None, ...]


@dataclass(frozen=True)
class BaseImage:
    """``reference`` is a tag or a digest."""

    registry: str
    repository: str
    reference: str


@dataclass(frozen=True)
class Download:
    """``is_needed``: the build stops without it; else setup.py would compile in its place."""

    what: str
    target: Asset | OnIndex | BaseImage
    where: Where
    is_needed: bool = True


def downloads(recipe: Recipe) -> tuple[Download, ...]:
    """Each once, in the order of the text, less what has a placeholder in its address: it can't be asked for."""
    found: dict[Asset | OnIndex | BaseImage, Download] = {}
    for image in recipe.images:
        for each in _of_image(image):
            found.setdefault(each.target, each)
    return tuple(found.values())


def _of_image(image: Image) -> Iterator[Download]:
    base = base_of(image)
    if base is not None and base.reference is not None and "secret" not in base.step.kwargs:
        target = base_image(base.reference)
        if target is not None:
            yield Download(base.reference, target, base.step.where)
    python = python_of(image)
    for n, install in image.pip_installs():
        where = image.steps[n].where
        for package in install.packages:
            url = package.url or ""
            if url.startswith(("http://", "https://")) and wheel_name(url) and not PLACEHOLDER.search(url):
                yield Download(file_of(url), Asset(url.split("#")[0]), where)
            if package.name == "torch" and package.pin and python and not install.find_links:
                indexes = (install.index_url, *install.extra_index_urls)
                if not any(PLACEHOLDER.search(text or "") for text in (package.pin, *indexes)):
                    yield Download(f"torch {package.pin}", OnIndex(package.pin, python, indexes), where)
    for each in forecasts_of_image(image, None):
        if each.wheel is not None and each.ext.form is not Form.WHEEL:
            yield Download(each.wheel.filename, Asset(each.wheel.url), each.where, each.is_wheel_the_only_way)


def base_image(reference: str) -> BaseImage | None:
    """ "nvidia/cuda:12.1.1-devel" → docker.io, nvidia/cuda, 12.1.1-devel.  None with a placeholder in it."""
    if PLACEHOLDER.search(reference):
        return None
    name, tag = split_reference(reference)
    _, at, digest = reference.partition("@")
    first, slash, rest = name.partition("/")
    registry, repository = (first, rest) if slash and HAS_HOST.search(first) else (HUB, name)
    if not repository.rpartition("/")[2]:
        return None
    if registry == HUB and "/" not in repository:
        repository = f"library/{repository}"
    return BaseImage(registry, repository, digest if at else tag or "latest")
