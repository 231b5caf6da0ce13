"""A C++ compiler is there where something compiles.

Looks at
    Extensions built on ubuntu, alpine and nvidia/cuda `base` and `runtime` images, and whether build-essential, gcc
    or clang was installed before.
Why it matters
    These images have no compiler: "error: command 'gcc' failed: No such file or directory".
Example
    before   from_registry("ubuntu:22.04", add_python="3.11").pip_install("torch-scatter", …)
    after    from_registry("ubuntu:22.04", add_python="3.11").apt_install("build-essential")…
How to fix
    Put `.apt_install("build-essential")` before the step.
Source
    The images' Dockerfiles
"""

from preflight.api import ExtInstall, Findings, Recipe, app, build, error, rule, warning
from preflight.rules.subjects import SOURCE_BUILDS, in_place


@rule("IMG110", SOURCE_BUILDS.by(in_place))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    found = [
        e
        for e in exts
        if build.has_c_compiler(e.image, e.n) is False and build.outcome_of(e) is not build.Outcome.WHEEL
    ]
    if not found:
        return
    base = build.base_of(found[0].image)
    say = error if any(build.outcome_of(e) is build.Outcome.SOURCE or e.is_isolated for e in found) else warning
    yield say(
        f"{build.names(found)} must be compiled, and {base.reference if base else 'the base'} has no C++ compiler",
        'put .apt_install("build-essential") before this step',
        found[0].where,
        why="the image build stops at this step: gcc is not found",
        fix=app.insert_link(recipe, found[0].step, '.apt_install("build-essential")', is_safe=True),
    )
