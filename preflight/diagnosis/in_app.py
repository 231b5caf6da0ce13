"""Where in the user's app a remedy is to be applied: an image step, the base, or an argument of the function."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import canonicalize_name

from preflight.app.model import Recipe, Step
from preflight.app.places import package_where, word_where
from preflight.diagnosis.model import Cause
from preflight.model import Where

NAME = re.compile(r"[A-Za-z][\w.-]*")


def at_its_place(cause: Cause, recipe: Recipe) -> Cause:
    """The cause with the place in the app named before its remedy; the cause itself where the app shows none."""
    found = next(PLACES.get(cause.concerns, _install)(cause, recipe), None)
    return cause if found is None else replace(cause, remedy=f"{found[0]} ({found[1]}): {cause.remedy}")


Places = Iterator[tuple[str, Where]]


def _steps(recipe: Recipe) -> list[tuple[int, Step]]:
    return [each for image in recipe.images for each in enumerate(image.steps, 1)]


def _install(cause: Cause, recipe: Recipe) -> Places:
    """The step that installs the package; the last step that installs anything where the log names none."""
    found = NAME.match(cause.subject)
    wanted = canonicalize_name(found[0]) if found else ""
    last: tuple[str, Where] | None = None
    for n, step in _steps(recipe):
        for install in step.pip:
            last = f"image step {n}, `{step.method}`", install.where
            for package in install.packages:
                if package.name and canonicalize_name(package.name) == wanted:
                    where = package_where(step, install, package)
                    yield f"image step {n}, which installs `{package.written}`", where
    if last is not None and not wanted:
        yield last


def _apt(cause: Cause, recipe: Recipe) -> Places:
    for n, step in _steps(recipe):
        if cause.subject in step.apt:
            yield f"image step {n}, `{step.method}`", word_where(recipe, step, cause.subject)
    for n, step in _steps(recipe):
        if step.apt:
            yield f"image step {n}, `{step.method}`", step.where


def _base(cause: Cause, recipe: Recipe) -> Places:
    for image in recipe.images:
        if image.base is not None:
            yield f"the base of the image, `{image.base.method}`", image.base.where


def _argument(cause: Cause, recipe: Recipe) -> Places:
    """The keyword of each function that the cause concerns."""
    for function in recipe.functions:
        if function.kind != "local_entrypoint":
            source, span = function.call.source, function.call.kwarg_spans.get(cause.concerns)
            where = function.where
            if source is not None and span is not None:
                where = Where(source.path, source.text.count("\n", 0, span.start) + 1)
            yield f"the function `{function.name}`", where


ARGUMENTS = ("gpu", "memory", "timeout", "secrets", "volumes", "image")
PLACES = {"apt": _apt, "base": _base, **dict.fromkeys(ARGUMENTS, _argument)}
