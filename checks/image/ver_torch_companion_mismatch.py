"""torchvision and torchaudio belong to the torch that is pinned.

Looks at
    Exact pins of torchvision and torchaudio beside an exact pin of torch.
Why it matters
    Each torchvision requires one torch: torch 2.n goes with torchvision 0.(n+15). In one call pip finds no
    solution; in a later call it replaces torch, and what was built for the first one stops loading.
Example
    before   .pip_install("torch==2.4.1", "torchvision==0.17.2")
    after    .pip_install("torch==2.4.1", "torchvision==0.19.1")
How to fix
    Pin the version that the message names.
Source
    METADATA of the torchvision and torchaudio wheels; A100-Kernel-RL 7bedb37c, cured in d60578fd
"""

from preflight.api import Findings, Recipe, app, build, error, facts, rule
from preflight.rules.subjects import PACKAGES, Package

NUMBERED_AS_TORCH = (2, 8)  # torchaudio carried torch's own number up to here; beyond it was not read
COMPANION_PINS = PACKAGES.only(
    lambda p: p.name in ("torchvision", "torchaudio") and p.package.pin is not None and p.package.url is None,
    "pin of torchvision or torchaudio",
)


@rule("IMG310", COMPANION_PINS)
def find(recipe: Recipe, companion: Package) -> Findings:
    package, torch = companion.package, build.torch_with(companion.image, companion.n, companion.pip)
    row = facts.torch_row(torch.version) if torch.version else None
    if (
        torch.held not in (build.Held.PINNED, build.Held.BASE)
        or torch.version is None
        or row is None
        or package.pin is None
    ):
        return
    if package.name == "torchaudio" and facts.version_number(torch.version) > NUMBERED_AS_TORCH:
        return
    wanted = row.torchvision if package.name == "torchvision" else row.torchaudio
    if facts.minor(package.pin) in (None, wanted):
        return
    exact = _exact(torch.version, wanted)
    fix = app.replace_package(recipe, package, package.written.replace(package.pin, exact), is_safe=True)
    yield error(
        f"{package.written} does not belong to torch {torch.version}, which goes with {wanted}.x",
        f"use {package.name}=={exact}",
        companion.where,
        why="pip finds no solution, or replaces torch under what was built for it",
        fix=fix if "+" not in package.pin else None,
    )


def _exact(torch: str, wanted: str) -> str:
    """The companion's patch is torch's own, but torchvision 0.15 began at .1 for torch 2.0.0."""
    patch = torch.split("+")[0].split(".")[2:] or ["0"]
    return f"{wanted}.{int(patch[0]) + 1 if wanted == '0.15' and patch[0].isdigit() else patch[0]}"
