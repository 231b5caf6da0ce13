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

from collections.abc import Iterator, Sequence

from preflight.app.model import Recipe
from preflight.app.places import argument_where
from preflight.build.compiling import refused_gcc
from preflight.build.ext_steps import ExtInstall
from preflight.build.outcome import Outcome, outcome_of
from preflight.build.surroundings import base_of
from preflight.model import Finding
from preflight.rules.findings import warning
from preflight.rules.form import rule
from preflight.rules.subjects import SOURCE_BUILDS


@rule("IMG130", SOURCE_BUILDS.by(lambda e: id(e.image)))
def find(recipe: Recipe, exts: Sequence[ExtInstall]) -> Iterator[Finding]:
    builds = [e for e in exts if outcome_of(e) is not Outcome.WHEEL]
    base, refused = base_of(exts[0].image), refused_gcc(builds[0]) if builds else None
    if base is None or refused is None:
        return
    row, newest = refused
    yield warning(
        f"{row.name} compiles with gcc {row.gcc}, and nvcc of CUDA {base.cuda} supports gcc {newest} at most",
        f"take the same CUDA on an older Ubuntu, or install gcc-{newest} and set CC and CXX to it",
        argument_where(recipe, base.step, "tag", 0),
        why=f"the build of {builds[0].name} stops with: unsupported GNU version",
    )
