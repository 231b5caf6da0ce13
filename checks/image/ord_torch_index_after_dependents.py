"""The CUDA index of torch is named before anything brings torch.

Looks at
    A step that installs torch from download.pytorch.org, after a step whose packages depend on torch.
Why it matters
    The earlier step has already brought PyPI's torch.  Where the requirement allows it, pip then says
    "Requirement already satisfied" and the index is never asked; a pin of another version is asked for.
Example
    before   .pip_install("accelerate").pip_install("torch", index_url="https://download.pytorch.org/whl/cu121")
    after    .pip_install("torch", index_url="https://download.pytorch.org/whl/cu121").pip_install("accelerate")
How to fix
    Put the step that installs torch first.
Source
    pip's resolver; Ajimsha1080/idm-vton
"""

from preflight.api import Findings, Recipe, build, facts, rule, warning
from preflight.rules.subjects import PACKAGES, Package

TORCH = PACKAGES.only(
    lambda p: p.name == "torch" and not p.package.url and any("download.pytorch.org" in u for u in p.urls),
    "install from the PyTorch index",
)


@rule("IMG040", TORCH)
def find(recipe: Recipe, torch: Package) -> Findings:
    pip, specifier = torch.pip, torch.package.specifier
    before = build.torch_before(torch.image, torch.n, pip)
    if pip.is_forced or pip.is_upgrade or "+" in specifier or before.held is not build.Held.BROUGHT:
        return
    if build.is_within(facts.newest_torch_for(build.python_of(torch.image)).patches[-1], specifier):
        yield warning(
            f"line {torch.image.steps[before.n].where.line} has already brought torch: this index is not asked",
            "put the step that installs torch first",
            torch.where,
            why="the image gets PyPI's torch, of another CUDA than was meant",
        )
