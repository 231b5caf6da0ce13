"""mamba-ssm from git is a tag.

Looks at
    `git+https://github.com/state-spaces/mamba` without a tag or commit.
Why it matters
    Since commit f577286 main builds no selective_scan_cuda unless MAMBA_KEEP_CUDA_BUILD=TRUE. The install succeeds,
    and Mamba raises at its first forward, on the GPU.
Example
    before   pip install git+https://github.com/state-spaces/mamba
    after    pip install git+https://github.com/state-spaces/mamba@v2.2.4
How to fix
    Name a tag, or set MAMBA_KEEP_CUDA_BUILD=TRUE for the step.
Source
    setup.py of state-spaces/mamba, main as of 2026-07-23
"""

from preflight.api import ExtInstall, Findings, Recipe, build, rule, warning
from preflight.rules.subjects import EXT_INSTALLS, env_for

MOVING = frozenset({"main", "master", "HEAD"})


def _is_main(ext: ExtInstall) -> bool:
    path = (ext.package.url or "").split("github.com", 1)[-1].split("#")[0]
    return "@" not in path or path.split("@")[-1] in MOVING


@rule(
    "IMG260",
    EXT_INSTALLS.only(lambda e: e.name == "mamba-ssm" and e.form is build.Form.GIT, "install of mamba-ssm from git"),
)
def find(recipe: Recipe, ext: ExtInstall) -> Findings:
    if _is_main(ext) and str(env_for(ext).get("MAMBA_KEEP_CUDA_BUILD", "")).upper() != "TRUE":
        yield warning(
            "mamba-ssm from the main branch builds no selective_scan_cuda",
            "name a tag (…/mamba@v2.2.4), or set MAMBA_KEEP_CUDA_BUILD=TRUE for this step",
            ext.where,
            why="the install succeeds, and Mamba raises at its first forward on the GPU",
        )
