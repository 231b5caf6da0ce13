"""torchvision and torchaudio are the ones that belong to the torch.

Looks at   exact pins of torchvision and torchaudio beside an exact pin of torch.
Why        each torchvision requires one torch: torch 2.n goes with torchvision 0.(n+15).  In one call pip finds no
           solution; in a later call it replaces torch, and what was built for the first one stops loading.
Before     .pip_install("torch==2.4.1", "torchvision==0.17.2")
After      .pip_install("torch==2.4.1", "torchvision==0.19.1")
Source     METADATA of the torchvision and torchaudio wheels; A100-Kernel-RL 7bedb37c, cured in d60578fd
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Held,
    Image,
    PipPackage,
    Recipe,
    counted,
    error,
    minor,
    over_images,
    package_where,
    replace_package,
    rule,
    torch_row,
    torch_with,
)


def applies(recipe: Recipe) -> str:
    n = sum(_is_companion(p) for i in recipe.images for _, s in i.pip_installs() for p in s.packages)
    return counted(n, "pin of torchvision or torchaudio", "pins of torchvision or torchaudio")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        torch = torch_with(image, n, install)
        row = torch_row(torch.version) if torch.version else None
        if torch.held not in (Held.PINNED, Held.BASE) or torch.version is None or row is None:
            continue
        for package in install.packages:
            if not _is_companion(package) or package.pin is None:
                continue
            wanted = row.torchvision if package.name == "torchvision" else row.torchaudio
            if wanted and minor(package.pin) not in (None, wanted):
                exact = _exact(torch.version, wanted)
                yield error(
                    f"{package.written} does not belong to torch {torch.version}, which goes with {wanted}.x",
                    f"use {package.name}=={exact}",
                    package_where(image.steps[n], install, package),
                    why="pip finds no solution, or replaces torch under what was built for it",
                    fix=replace_package(recipe, package, package.written.replace(package.pin, exact), is_safe=True)
                    if "+" not in package.pin
                    else None,
                )


def _is_companion(package: PipPackage) -> bool:
    return package.name in ("torchvision", "torchaudio") and package.pin is not None and package.url is None


def _exact(torch: str, wanted: str) -> str:
    """The companion's patch is torch's own, but torchvision 0.15 began at .1 for torch 2.0.0."""
    patch = torch.split("+")[0].split(".")[2:] or ["0"]
    return f"{wanted}.{int(patch[0]) + 1 if wanted == '0.15' and patch[0].isdigit() else patch[0]}"


CHECK = rule(
    id="IMG310",
    name="ver-torch-companion-mismatch",
    title="torchvision and torchaudio belong to the torch that is pinned",
    find=find,
    applies=applies,
)
