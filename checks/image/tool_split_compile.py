"""A build of the Mamba kernels uses all cores.

Looks at   mamba-ssm and causal-conv1d where they compile with nvcc 12.8 or newer, and NVCC_APPEND_FLAGS.
Why        one file of causal-conv1d holds nine kernels that nvcc compiles one after another.
           With --split-compile=0 it spreads them over the cores: on 16 cores mamba-ssm took 86 s in place of 260 s,
           causal-conv1d 170 s in place of more than 540 s.
Before     .pip_install("causal-conv1d==1.6.1", extra_options="--no-build-isolation")
After      .env({"NVCC_APPEND_FLAGS": "--split-compile=0"}).pip_install("causal-conv1d==1.6.1", …)
Source     measured on one H100 machine, 2026-11-23
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
    advice,
    base_of,
    env_before,
    insert_link,
    names,
    outcome_of,
    over_images,
    rule,
    source_builds,
    source_builds_in,
    version_number,
)

MEASURED = {"mamba-ssm": "86 s in place of 260 s", "causal-conv1d": "170 s in place of more than 540 s"}


def applies(recipe: Recipe) -> str:
    return source_builds_in(recipe)


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None or base.cuda is None or version_number(base.cuda) < (12, 8):
        return
    places: dict[Where, list[ExtInstall]] = {}
    for ext in source_builds(image):
        said = {**env_before(image, ext.n), **ext.install.env}
        flags = said.get("NVCC_APPEND_FLAGS", "")
        if ext.name in MEASURED and outcome_of(ext) is Outcome.SOURCE and "split-compile" not in str(flags):
            places.setdefault(ext.where, []).append(ext)
    for where, found in places.items():
        gain = "; ".join(f"{e.name} {MEASURED[e.name]}" for e in found)
        yield advice(
            f"{names(found)} compiles, and nvcc uses one core a file",
            'put .env({"NVCC_APPEND_FLAGS": "--split-compile=0"}) before this step',
            where,
            why=f"measured on 16 cores: {gain}",
            fix=insert_link(recipe, found[0].step, '.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})', is_safe=False),
        )


CHECK = rule(
    id="IMG970",
    name="tool-split-compile",
    title="a build of the kernels uses all cores",
    find=find,
    applies=applies,
)
