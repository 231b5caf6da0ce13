"""The distribution still has the apt packages.

Looks at   `apt_install` and `apt-get install` against packages that Debian trixie (Image Builder 2026.10) or
           Ubuntu 24.04 have lost.
Why        apt stops with "Unable to locate package"; an image that was built last year is not built again.
Before     modal.Image.debian_slim().apt_install("libgl1-mesa-glx")
After      modal.Image.debian_slim().apt_install("libgl1")
Source     apt index of trixie, 2026-11-23; packages.ubuntu.com
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Fix,
    Image,
    Recipe,
    Step,
    Where,
    apt_gone,
    apt_words,
    base_of,
    builder,
    counted,
    distribution_of,
    error,
    over_images,
    replace_span,
    rule,
    warning,
    word_where,
)


def applies(recipe: Recipe) -> str:
    return counted(sum(len(_packages(s)) for i in recipe.images for s in i.steps), "apt package")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None:
        return
    distribution = distribution_of(image, context.builder)
    is_guess = distribution is None and base.is_slim and builder(context.builder or "") is None
    asked = "trixie" if is_guess else distribution
    for step in image.steps:
        gone = [(p, row) for p in _packages(step) if (row := apt_gone(p)) is not None and asked in row.gone_in]
        for package, row in gone:
            say = warning if is_guess else error
            where = "Debian trixie, which Image Builder 2026.10 uses," if is_guess else f"{asked}"
            yield say(
                f"{where} has no apt package {package}",
                f"install {row.successor} in its place"
                if row.successor
                else f"leave {package} out, or keep an older base",
                _where(recipe, step, package),
                why="apt stops with: Unable to locate package",
                fix=_rename(recipe, step, package, row.successor),
            )


def _packages(step: Step) -> tuple[str, ...]:
    return (*step.apt, *(p for c in step.shell for p in apt_words(c)))


def _where(recipe: Recipe, step: Step, package: str) -> Where:
    if package in step.apt:
        return word_where(recipe, step, package)
    return next((c.where for c in step.shell if package in apt_words(c)), step.where)


def _rename(recipe: Recipe, step: Step, old: str, new: str) -> Fix | None:
    if not new:
        return None
    for quote in ('"', "'"):
        fix = replace_span(recipe, step.where, step.link, f"{quote}{old}{quote}", f"{quote}{new}{quote}", is_safe=True)
        if fix is not None:
            return fix
    return None


CHECK = rule(
    id="IMG410",
    name="ver-apt-gone",
    title="the distribution has the apt packages that are asked for",
    find=find,
    applies=applies,
    asks_builder=True,
)
