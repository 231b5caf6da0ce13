"""ninja is there for a build of extensions.

Looks at
    Extensions built without isolation, and ninja (pip) or ninja-build (apt) before them.
Why it matters
    Without ninja torch compiles one file after another: hours instead of minutes for flash-attn, and the image
    build may run into its time limit.
Example
    before   .pip_install("torch==2.4.1", "packaging", "wheel").pip_install("flash-attn==2.6.3", …)
    after    .pip_install("torch==2.4.1", "packaging", "wheel", "ninja").pip_install("flash-attn==2.6.3", …)
How to fix
    Add "ninja" to the step that installs the other build requirements.
Source
    README of flash-attn; torch/utils/cpp_extension.py
"""

from collections.abc import Iterator

from preflight.app.model import Recipe
from preflight.build.ext_steps import ExtInstall
from preflight.build.outcome import Outcome, outcome_of
from preflight.build.surroundings import apt_before, is_known_before, python_packages_before
from preflight.model import Finding
from preflight.rules.findings import advice
from preflight.rules.form import rule
from preflight.rules.subjects import SOURCE_BUILDS


@rule("IMG120", SOURCE_BUILDS)
def find(recipe: Recipe, ext: ExtInstall) -> Iterator[Finding]:
    if ext.is_isolated or not is_known_before(ext.image, ext.n) or outcome_of(ext) is Outcome.WHEEL:
        return
    there = python_packages_before(ext.image, ext.n, ext.install) | apt_before(ext.image, ext.n)
    if not {"ninja", "ninja-build"} & there:
        yield advice(
            f"{ext.name} may compile, and ninja is not installed before it",
            'add "ninja" to the step that installs its other build requirements',
            ext.where,
            why="one file is compiled at a time",
        )
