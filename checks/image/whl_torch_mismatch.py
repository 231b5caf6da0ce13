"""A wheel's torch is the torch of the image.

Looks at   addresses of wheels whose name says torchX.Y, and the torch that the image ends up with; where a later
           package makes that unknown, the torch of the step itself.
Why        such a wheel loads under one minor of torch.  Under another it fails at import with "undefined symbol".
Before     .pip_install("torch==2.11.0", "https://…/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-….whl")
After      a wheel that says torch2.11, or torch==2.6.0
Source     C++ symbols of torch 2.0 to 2.15; SWE-Qwen 0dd44ff2
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    counted,
    error,
    minor,
    over_images,
    package_where,
    rule,
    torch_for_wheel,
    warning,
    wheel_name,
)


def applies(recipe: Recipe) -> str:
    urls = [p.url for i in recipe.images for _, s in i.pip_installs() for p in s.packages if p.url]
    return counted(
        sum(bool((w := wheel_name(u)) and w.torch) for u in urls),
        "wheel with a torch in its name",
        "wheels with a torch in their name",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        torch = torch_for_wheel(image, n, install)
        said = torch.version or torch.expected
        for package in install.packages:
            name = wheel_name(package.url) if package.url else None
            if name is None or name.torch is None or said is None or minor(said) == name.torch:
                continue
            say = error if torch.version else warning
            has = f"torch {said}" if torch.version else f"torch without a pin (today {said})"
            yield say(
                f"the wheel of {name.name} is for torch {name.torch}, and the image has {has}",
                f"take a wheel that says torch{minor(said)}, or pin torch to {name.torch}",
                package_where(image.steps[n], install, package),
                why="the import fails on the GPU with: undefined symbol",
            )


CHECK = rule(
    id="IMG470",
    name="whl-torch-mismatch",
    title="a wheel's torch is the torch of the image",
    find=find,
    applies=applies,
)
