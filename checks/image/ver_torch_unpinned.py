"""torch is pinned to an exact version.

Looks at   torch installed by name without `==`.
Why        everything compiled, and every wheel with a torch tag, fits one minor of torch.  Unpinned torch is 2.15
           today, for which no release wheel of mamba-ssm or flash-attn exists.  A package of the same command that
           asks for one exact torch (vllm, xformers) pins it too.
Before     .pip_install("torch>=2.4")
After      .pip_install("torch==2.4.1")
Source     modal.com/docs/guide/images recommends tight pins; A100-Kernel-RL ef0ca70f
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    advice,
    counted,
    ext_installs,
    install_pins_torch,
    over_images,
    package_where,
    rule,
    warning,
    wheel_name,
)


def applies(recipe: Recipe) -> str:
    n = sum(p.name == "torch" for i in recipe.images for _, s in i.pip_installs() for p in s.packages)
    return counted(n, "install of torch", "installs of torch")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    bound = _bound_to_torch(image)
    is_pinned = False
    for n, install in image.pip_installs():
        for package in install.packages:
            if package.name != "torch" or package.url:
                continue
            if package.specifier.startswith(("==", "~=")):
                is_pinned = True
            elif not is_pinned and not install_pins_torch(install) and not {"-c", "--constraint"} & {*install.options}:
                say = warning if bound else advice
                yield say(
                    f"{package.written} takes the newest torch of the day",
                    "pin torch with ==" + (f": {bound} fits one minor of torch" if bound else ""),
                    package_where(image.steps[n], install, package),
                    why="the next image build may get another torch, and what was built for the old one stops loading",
                )


def _bound_to_torch(image: Image) -> str:
    for ext in ext_installs(image):
        return ext.name
    for _, install in image.pip_installs():
        for package in install.packages:
            name = wheel_name(package.url) if package.url else None
            if name is not None and name.torch:
                return name.name
    return ""


CHECK = rule(
    id="IMG280",
    name="ver-torch-unpinned",
    title="torch is pinned to an exact version",
    find=find,
    applies=applies,
)
