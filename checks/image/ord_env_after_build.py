"""Variables for a build are set before it.

Looks at
    `.env` steps after the last extension build that set CC, CXX, CUDA_HOME, TORCH_CUDA_ARCH_LIST, MAX_JOBS,
    FLASH_ATTN_CUDA_ARCHS or a *_FORCE_BUILD for the first time.
Why it matters
    An `.env` applies to the steps after it. The build has happened without it.
Example
    before   .pip_install("mamba-ssm==2.3.1", …).env({"CXX": "g++"})
    after    .env({"CXX": "g++"}).pip_install("mamba-ssm==2.3.1", …)
How to fix
    Put the `.env` before the step that builds.
Source
    modal.com/docs/guide/images
"""

from preflight.api import ExtInstall, Findings, Recipe, advice, app, rule, warning
from preflight.rules.subjects import SOURCE_BUILDS, env_for
from preflight.wording import is_or_are

STEERS = frozenset({"CC", "CXX", "CUDA_HOME", "TORCH_CUDA_ARCH_LIST", "MAX_JOBS", "FLASH_ATTN_CUDA_ARCHS"})
AT_RUN_TIME = frozenset({"TORCH_CUDA_ARCH_LIST", "CUDA_HOME", "CC", "CXX", "MAX_JOBS"})
COMPILES_LATER = frozenset(
    {"gsplat", "deepspeed", "flashinfer-python", "torch-tensorrt", "vllm", "triton", "nvdiffrast"}
)


@rule("IMG050", SOURCE_BUILDS.by(lambda e: id(e.image)))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    last = exts[-1]
    packages = {p.name for _, i in last.image.pip_installs() for p in i.packages}
    for step in last.image.steps[last.n + 1 :]:
        late = [k for k in step.env if (k in STEERS or k.endswith("_FORCE_BUILD")) and k not in env_for(last)]
        if late:
            say = advice if COMPILES_LATER & packages and {*late} <= AT_RUN_TIME else warning
            yield say(
                f"{', '.join(late)} {is_or_are(late)} set after {last.name} was built (line {last.step.where.line})",
                "put this .env before the build",
                app.word_where(recipe, step, late[0]),
                why="the build ran without it",
            )
