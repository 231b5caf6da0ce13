"""A wheel's CUDA major is torch's.

Looks at   cu11, cu12 or cu13 in the address of a wheel, against the CUDA that the image's torch was built for.
Why        the wheel asks for another CUDA runtime: "libcudart.so.11.0: cannot open shared object file".
Before     torch 2.11.0 (CUDA 13) with flash_attn-…+cu12torch2.11…
After      flash_attn-…+cu13torch2.11…
Source     METADATA of torch 2.0 to 2.15
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Held,
    Image,
    Recipe,
    counted,
    error,
    over_images,
    package_where,
    rule,
    torch_at_end,
    warning,
    wheel_name,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum(bool(p.url and wheel_name(p.url)) for i in recipe.images for _, s in i.pip_installs() for p in s.packages),
        "wheel by its address",
        "wheels by their address",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    torch = torch_at_end(image)
    if torch.held not in (Held.PINNED, Held.BASE, Held.LOOSE) or torch.cuda in (None, "cpu"):
        return
    major = (torch.cuda or "").split(".")[0]
    for n, install in image.pip_installs():
        for package in install.packages:
            name = wheel_name(package.url) if package.url else None
            if name is None or name.cuda in (None, major):
                continue
            say = error if torch.version else warning
            yield say(
                f"the wheel of {name.name} is for CUDA {name.cuda}, and torch {torch.version or torch.expected} "
                f"is built for CUDA {torch.cuda}",
                f"take the file that says cu{major}, or a torch of CUDA {name.cuda}",
                package_where(image.steps[n], install, package),
                why="the import fails on the GPU: libcudart is not found",
            )


CHECK = rule(
    id="IMG490",
    name="whl-cuda-mismatch",
    title="a wheel's CUDA is torch's",
    find=find,
    applies=applies,
)
