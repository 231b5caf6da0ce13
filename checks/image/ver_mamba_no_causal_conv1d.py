"""causal-conv1d is installed beside mamba-ssm.

Looks at
    Images that install mamba-ssm, and whether causal-conv1d is installed anywhere in them.
Why it matters
    mamba-ssm does not require it any more.  Without it Mamba2's fused path calls None ("'NoneType' object
    is not callable"), and Mamba falls back to nn.Conv1d.  Where the model's code catches that, a 24 h
    training goes on with a model that is no Mamba.
Example
    before   .pip_install("mamba-ssm==2.2.2", …)
    after    .pip_install("causal-conv1d==1.4.0", …).pip_install("mamba-ssm==2.2.2", …)
How to fix
    Install causal-conv1d in the step before, pinned to the release that goes with this mamba-ssm.
Source
    mamba_ssm/modules/mamba2.py; brain-go-brr-v2 3ca8d7a6, cured in ac90e0a6
"""

from preflight.api import ExtInstall, Findings, Recipe, build, rule, warning
from preflight.rules.subjects import EXT_INSTALLS


@rule("IMG250", EXT_INSTALLS.only(lambda e: e.name == "mamba-ssm", "install of mamba-ssm").by(lambda e: id(e.image)))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    mamba = exts[0]
    image = mamba.image
    if "causal-conv1d" in mamba.package.extras or any(e.name == "causal-conv1d" for e in build.ext_installs(image)):
        return
    texts = [c.text.replace("_", "-") for s in image.steps for c in s.shell]
    if build.is_known_before(image, len(image.steps)) and not any("causal-conv1d" in t for t in texts):
        yield warning(
            "mamba-ssm is installed without causal-conv1d",
            "install causal-conv1d in the step before, pinned to the release that goes with this mamba-ssm",
            mamba.where,
            why="Mamba2 fails at the first forward, or a caught error trains a Conv1d for 24 h of A100",
        )
