"""nvcc supports the gcc of the base image.

Looks at
    The distribution in the tag of an nvidia/cuda base (its default gcc) against the newest gcc that this CUDA's
    nvcc supports, where an extension is built.
Why it matters
    nvcc refuses a newer gcc: "unsupported GNU version! gcc versions later than 12 are not supported".
Example
    before   from_registry("nvidia/cuda:12.3.2-devel-ubuntu24.04", …)
    after    from_registry("nvidia/cuda:12.3.2-devel-ubuntu22.04", …)
How to fix
    Take the same CUDA on an older Ubuntu, or install an older gcc and set CC and CXX to it.
Source
    crt/host_config.h of each toolkit
"""

from preflight.api import ExtInstall, Findings, Recipe, app, build, rule, warning
from preflight.rules.subjects import SOURCE_BUILDS


@rule("IMG130", SOURCE_BUILDS.by(lambda e: id(e.image)))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    builds = [e for e in exts if build.outcome_of(e) is not build.Outcome.WHEEL]
    base, refused = build.base_of(exts[0].image), build.refused_gcc(builds[0]) if builds else None
    if base is None or refused is None:
        return
    row, newest = refused
    yield warning(
        f"{row.name} compiles with gcc {row.gcc}, and nvcc of CUDA {base.cuda} supports gcc {newest} at most",
        f"take the same CUDA on an older Ubuntu, or install gcc-{newest} and set CC and CXX to it",
        app.argument_where(recipe, base.step, "tag", 0),
        why=f"the build of {builds[0].name} stops with: unsupported GNU version",
    )
