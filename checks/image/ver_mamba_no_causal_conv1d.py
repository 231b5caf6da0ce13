"""mamba-ssm comes with causal-conv1d.

Looks at   images that install mamba-ssm, and whether causal-conv1d is installed anywhere in them.
Why        mamba-ssm does not require it any more.  Without it Mamba2's fused path calls None ("'NoneType' object
           is not callable"), and Mamba falls back to nn.Conv1d.  Where the model's code catches that, a 24 h
           training goes on with a model that is no Mamba.
Before     .pip_install("mamba-ssm==2.2.2", …)
After      .pip_install("causal-conv1d==1.4.0", …).pip_install("mamba-ssm==2.2.2", …)
Source     mamba_ssm/modules/mamba2.py; brain-go-brr-v2 3ca8d7a6, cured in ac90e0a6
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    counted,
    ext_installs,
    is_known_before,
    over_images,
    rule,
    warning,
)


def applies(recipe: Recipe) -> str:
    n = sum(e.name == "mamba-ssm" for i in recipe.images for e in ext_installs(i))
    return counted(n, "install of mamba-ssm", "installs of mamba-ssm")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    found = ext_installs(image)
    mamba = next((e for e in found if e.name == "mamba-ssm"), None)
    if mamba is None or any(e.name == "causal-conv1d" for e in found):
        return
    if "causal-conv1d" in mamba.package.extras or not is_known_before(image, len(image.steps)):
        return
    if any("causal-conv1d" in c.text or "causal_conv1d" in c.text for s in image.steps for c in s.shell):
        return
    yield warning(
        "mamba-ssm is installed without causal-conv1d",
        "install causal-conv1d in the step before, pinned to the release that goes with this mamba-ssm",
        mamba.where,
        why="Mamba2 fails at the first forward, or a caught error trains a Conv1d for 24 h of A100",
    )


CHECK = rule(
    id="IMG250",
    name="ver-mamba-no-causal-conv1d",
    title="causal-conv1d stands beside mamba-ssm",
    find=find,
    applies=applies,
)
