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

from preflight.api import ExtInstall, Findings, Recipe, advice, build, rule
from preflight.rules.subjects import SOURCE_BUILDS


@rule("IMG120", SOURCE_BUILDS)
def find(recipe: Recipe, ext: ExtInstall) -> Findings:
    if ext.is_isolated or not build.is_known_before(ext.image, ext.n) or build.outcome_of(ext) is build.Outcome.WHEEL:
        return
    there = build.python_packages_before(ext.image, ext.n, ext.install) | build.apt_before(ext.image, ext.n)
    if not {"ninja", "ninja-build"} & there:
        yield advice(
            f"{ext.name} may compile, and ninja is not installed before it",
            'add "ninja" to the step that installs its other build requirements',
            ext.where,
            why="one file is compiled at a time",
        )
