"""Variables that steer a build are set before it.

Looks at   `.env` steps after the last extension build that set CC, CXX, CUDA_HOME, TORCH_CUDA_ARCH_LIST, MAX_JOBS,
           FLASH_ATTN_CUDA_ARCHS or a *_FORCE_BUILD for the first time.
Why        an `.env` speaks to the steps after it.  The build has happened without them.
Before     .pip_install("mamba-ssm==2.3.1", …).env({"CXX": "g++"})
After      .env({"CXX": "g++"}).pip_install("mamba-ssm==2.3.1", …)
Source     modal.com/docs/guide/images
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    advice,
    env_before,
    over_images,
    rule,
    source_builds,
    source_builds_in,
    warning,
    word_where,
)

STEERS = frozenset({"CC", "CXX", "CUDA_HOME", "TORCH_CUDA_ARCH_LIST", "MAX_JOBS", "FLASH_ATTN_CUDA_ARCHS"})
AT_RUN_TIME = frozenset({"TORCH_CUDA_ARCH_LIST", "CUDA_HOME", "CC", "CXX", "MAX_JOBS"})
COMPILES_LATER = frozenset(
    {"gsplat", "deepspeed", "flashinfer-python", "torch-tensorrt", "vllm", "triton", "nvdiffrast"}
)


def applies(recipe: Recipe) -> str:
    return source_builds_in(recipe)


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    builds = source_builds(image)
    if not builds:
        return
    last = builds[-1].n
    known = {**env_before(image, last), **builds[-1].install.env}
    later = {p.name for _, i in image.pip_installs() for p in i.packages}
    for step in image.steps[last + 1 :]:
        late = [k for k in step.env if (k in STEERS or k.endswith("_FORCE_BUILD")) and k not in known]
        if not late:
            continue
        say = advice if COMPILES_LATER & later and {*late} <= AT_RUN_TIME else warning
        yield say(
            f"{', '.join(late)} is set after {builds[-1].name} was built (line {builds[-1].step.where.line})",
            "put this .env before the build",
            word_where(recipe, step, late[0]),
            why="the build ran without it",
        )


CHECK = rule(
    id="IMG050",
    name="ord-env-after-build",
    title="variables for a build are set before it",
    find=find,
    applies=applies,
)
