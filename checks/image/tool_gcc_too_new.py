"""nvcc takes the gcc of the base image.

Looks at   the distribution in the tag of an nvidia/cuda base (its default gcc) against the newest gcc that this
           CUDA's nvcc takes, where an extension is built.
Why        nvcc refuses a newer gcc: "unsupported GNU version! gcc versions later than 12 are not supported".
Before     from_registry("nvidia/cuda:12.3.2-devel-ubuntu24.04", …)
After      from_registry("nvidia/cuda:12.3.2-devel-ubuntu22.04", …)
Source     crt/host_config.h of each toolkit
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Outcome,
    Recipe,
    argument_where,
    base_of,
    outcome_of,
    over_images,
    refused_gcc,
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
    base = base_of(image)
    builds = [e for e in source_builds(image) if outcome_of(e) is not Outcome.WHEEL]
    refused = refused_gcc(builds[0]) if builds else None
    if base is None or refused is None:
        return
    row, newest_taken = refused
    yield warning(
        f"{row.name} compiles with gcc {row.gcc}, and nvcc of CUDA {base.cuda} takes gcc {newest_taken} at most",
        f"take the same CUDA on an older Ubuntu, or install gcc-{newest_taken} and set CC and CXX to it",
        argument_where(recipe, base.step, "tag", 0),
        why=f"the build of {builds[0].name} stops with: unsupported GNU version",
    )


CHECK = rule(
    id="IMG130",
    name="tool-gcc-too-new",
    title="nvcc takes the gcc of the base image",
    find=find,
    applies=applies,
)
