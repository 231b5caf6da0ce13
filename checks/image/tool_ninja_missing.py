"""ninja is there where torch extensions are compiled.

Looks at   extensions built without isolation, and ninja (pip) or ninja-build (apt) before them.
Why        without ninja torch compiles one file after another: hours in place of minutes for flash-attn, and the
           image build may run into its time limit.
Before     .pip_install("torch==2.4.1", "packaging", "wheel").pip_install("flash-attn==2.6.3", …)
After      .pip_install("torch==2.4.1", "packaging", "wheel", "ninja").pip_install("flash-attn==2.6.3", …)
Source     README of flash-attn; torch/utils/cpp_extension.py
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Outcome,
    Recipe,
    advice,
    apt_before,
    is_known_before,
    outcome_of,
    over_images,
    python_packages_before,
    rule,
    source_builds,
    source_builds_in,
)


def applies(recipe: Recipe) -> str:
    return source_builds_in(recipe)


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for ext in source_builds(image):
        if ext.is_isolated or not is_known_before(image, ext.n) or outcome_of(ext) is Outcome.WHEEL:
            continue
        there = python_packages_before(image, ext.n, ext.install) | apt_before(image, ext.n)
        if not {"ninja", "ninja-build"} & there:
            yield advice(
                f"{ext.name} may compile, and ninja is not installed before it",
                'add "ninja" to the step that installs its other build requirements',
                ext.where,
                why="one file is compiled at a time",
            )


CHECK = rule(
    id="IMG120",
    name="tool-ninja-missing",
    title="ninja is there for a build of extensions",
    find=find,
    applies=applies,
)
