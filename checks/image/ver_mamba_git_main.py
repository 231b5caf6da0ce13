"""mamba-ssm from git is a tag, or is told to build its CUDA kernels.

Looks at   `git+https://github.com/state-spaces/mamba` without a tag or commit.
Why        since commit f577286 main builds no selective_scan_cuda unless MAMBA_KEEP_CUDA_BUILD=TRUE: the install
           succeeds, and Mamba raises at its first forward, on the GPU.
Before     pip install git+https://github.com/state-spaces/mamba
After      pip install git+https://github.com/state-spaces/mamba@v2.2.4
Source     setup.py of state-spaces/mamba, main as of 2026-07-23
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Form,
    Image,
    Recipe,
    counted,
    env_before,
    ext_installs,
    over_images,
    rule,
    warning,
)

MOVING = frozenset({"main", "master", "HEAD"})


def applies(recipe: Recipe) -> str:
    return counted(
        sum(e.name == "mamba-ssm" and e.form is Form.GIT for i in recipe.images for e in ext_installs(i)),
        "mamba-ssm from git",
        "mamba-ssm from git",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for ext in ext_installs(image):
        url = ext.package.url or ""
        path = url.split("github.com", 1)[-1].split("#")[0]
        if ext.name != "mamba-ssm" or ext.form is not Form.GIT or ("@" in path and path.split("@")[-1] not in MOVING):
            continue
        said = {**env_before(image, ext.n), **ext.install.env}
        if str(said.get("MAMBA_KEEP_CUDA_BUILD", "")).upper() != "TRUE":
            yield warning(
                "mamba-ssm from the main branch builds no selective_scan_cuda",
                "name a tag (…/mamba@v2.2.4), or set MAMBA_KEEP_CUDA_BUILD=TRUE for this step",
                ext.where,
                why="the install succeeds, and Mamba raises at its first forward on the GPU",
            )


CHECK = rule(
    id="IMG260",
    name="ver-mamba-git-main",
    title="mamba-ssm from git is a tag",
    find=find,
    applies=applies,
)
