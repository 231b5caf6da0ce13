"""The distribution has the apt packages that are asked for.

Looks at
    `apt_install` and `apt-get install` against packages that Debian trixie (Image Builder 2026.10) or Ubuntu 24.04
    no longer have.
Why it matters
    apt stops with "Unable to locate package"; an image that was built last year is not built again.
Example
    before   modal.Image.debian_slim().apt_install("libgl1-mesa-glx")
    after    modal.Image.debian_slim().apt_install("libgl1")
How to fix
    Install the package that took its place, which the message names.
Source
    The apt index of trixie, 2026-11-23; packages.ubuntu.com
"""

from preflight.api import Context, Findings, Fix, Link, Recipe, Where, app, build, error, facts, rule, warning
from preflight.rules.subjects import STEPS


def _packages(step: app.Step) -> tuple[str, ...]:
    return (*step.apt, *(p for c in step.shell for p in build.apt_words(c)))


@rule("IMG410", STEPS.only(lambda link: _packages(link.step), "step with apt packages"), asks_builder=True)
def find(recipe: Recipe, link: Link, context: Context) -> Findings:
    base, step = build.base_of(link.image), link.step
    if base is None:
        return
    distribution = build.distribution_of(link.image, context.builder)
    is_guess = distribution is None and base.is_slim and facts.builder(context.builder or "") is None
    asked = "trixie" if is_guess else distribution
    say = warning if is_guess else error
    for package in _packages(step):
        row = facts.apt_gone(package)
        if row is not None and asked in row.gone_in:
            whose = "Debian trixie, which Image Builder 2026.10 uses," if is_guess else f"{asked}"
            new = row.successor
            yield say(
                f"{whose} has no apt package {package}",
                f"install {new} in its place" if new else f"leave {package} out, or keep an older base",
                _where(recipe, step, package),
                why="apt stops with: Unable to locate package",
                fix=_rename(recipe, step, package, new) if new else None,
            )


def _where(recipe: Recipe, step: app.Step, package: str) -> Where:
    if package in step.apt:
        return app.word_where(recipe, step, package)
    return next((c.where for c in step.shell if package in build.apt_words(c)), step.where)


def _rename(recipe: Recipe, step: app.Step, old: str, new: str) -> Fix | None:
    fixes = (
        app.replace_span(recipe, step.where, step.link, f"{q}{old}{q}", f"{q}{new}{q}", is_safe=True) for q in "\"'"
    )
    return next((f for f in fixes if f is not None), None)
