"""Where in the user's app a remedy is to be applied: an image step, the base, or an argument of the function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from preflight.app.model import Function, Image, Recipe, Step
from preflight.app.places import package_where, word_where
from preflight.diagnosis.model import Cause
from preflight.model import Where

NAME = re.compile(r"[A-Za-z][\w.-]*")


def at_its_place(cause: Cause, recipe: Recipe) -> Cause:
    """The cause with the place in the app named before its remedy; the cause itself where the app shows none."""
    found = next(PLACES.get(cause.concerns, _install)(cause, recipe), None)
    return cause if found is None else replace(cause, remedy=f"{found[0]} ({found[1]}): {cause.remedy}")


Places = Iterator[tuple[str, Where]]


def _steps(recipe: Recipe) -> Iterator[tuple[int, Step, Image]]:
    for image in recipe.images:
        for n, step in enumerate(image.steps):
            yield n, step, image


def _install(cause: Cause, recipe: Recipe) -> Places:
    """The step that installs the package; the last step that installs anything where the log names none."""
    found = NAME.match(cause.subject)
    wanted = _normal(found[0]) if found else ""
    last: tuple[str, Where] | None = None
    for n, step, _ in _steps(recipe):
        for install in step.pip:
            last = f"image step {n + 1}, `{step.method}`", install.where
            for package in install.packages:
                if package.name and _normal(package.name) == wanted:
                    where = package_where(step, install, package)
                    yield f"image step {n + 1}, which installs `{package.written}`", where
    if last is not None and not wanted:
        yield last


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _apt(cause: Cause, recipe: Recipe) -> Places:
    for n, step, _ in _steps(recipe):
        if cause.subject in step.apt:
            yield f"image step {n + 1}, `{step.method}`", word_where(recipe, step, cause.subject)
    for n, step, _ in _steps(recipe):
        if step.apt:
            yield f"image step {n + 1}, `{step.method}`", step.where


def _base(cause: Cause, recipe: Recipe) -> Places:
    for image in recipe.images:
        if image.base is not None:
            yield f"the base of the image, `{image.base.method}`", image.base.where


def _argument(*names: str) -> Callable[[Cause, Recipe], Places]:
    def places(cause: Cause, recipe: Recipe) -> Places:
        for function in recipe.functions:
            if function.kind != "local_entrypoint":
                where = next((_of_keyword(function, n) for n in names if n in function.call.kwarg_spans), None)
                yield f"the function `{function.name}`", where or function.where

    return places


def _of_keyword(function: Function, name: str) -> Where | None:
    source, span = function.call.source, function.call.kwarg_spans[name]
    if source is None:
        return None
    line = source.text.count("\n", 0, span.start) + 1
    return Where(source.path, line)


PLACES: dict[str, Callable[[Cause, Recipe], Places]] = {
    "apt": _apt,
    "base": _base,
    "gpu": _argument("gpu"),
    "memory": _argument("memory"),
    "timeout": _argument("timeout"),
    "secrets": _argument("secrets"),
    "volumes": _argument("volumes"),
    "image": _argument("image"),
}
