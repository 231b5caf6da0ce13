"""A C++ compiler is there where an extension is built from source.

Looks at   extensions built on ubuntu, alpine and nvidia/cuda `base` and `runtime` images, and whether
           build-essential, gcc or clang was installed before.
Why        these images have no compiler: "error: command 'gcc' failed: No such file or directory".
Before     from_registry("ubuntu:22.04", add_python="3.11").pip_install("torch-scatter", …)
After      from_registry("ubuntu:22.04", add_python="3.11").apt_install("build-essential")…
Source     the images' Dockerfiles
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Image,
    Outcome,
    Recipe,
    Where,
    base_of,
    error,
    has_c_compiler,
    insert_link,
    names,
    outcome_of,
    over_images,
    rule,
    source_builds,
    source_builds_in,
    warning,
)


def applies(recipe: Recipe) -> str:
    return source_builds_in(recipe)


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    places: dict[Where, list[ExtInstall]] = {}
    for ext in source_builds(image):
        if has_c_compiler(image, ext.n) is False and outcome_of(ext) is not Outcome.WHEEL:
            places.setdefault(ext.where, []).append(ext)
    for where, found in places.items():
        base = base_of(image)
        say = error if any(outcome_of(e) is Outcome.SOURCE or e.is_isolated for e in found) else warning
        yield say(
            f"{names(found)} compiles, and {base.reference if base else 'the base'} has no C++ compiler",
            'put .apt_install("build-essential") before this step',
            where,
            why="the image build stops at this step: gcc is not found",
            fix=insert_link(recipe, found[0].step, '.apt_install("build-essential")', is_safe=True),
        )


CHECK = rule(
    id="IMG110",
    name="tool-no-c-compiler",
    title="a C++ compiler is there where something compiles",
    find=find,
    applies=applies,
)
