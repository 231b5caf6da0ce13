"""torch is pinned to an exact version.

Looks at
    torch installed by name without `==`.
Why it matters
    Everything compiled, and every wheel with a torch tag, fits one minor of torch. Without a pin pip takes the
    newest of the day, for which the kernels may have no release wheel yet. A package of the same command that asks
    for one exact torch (vllm, xformers) pins it too.
Example
    before   .pip_install("torch>=2.4")
    after    .pip_install("torch==2.4.1")
How to fix
    Pin torch with `==` to a minor that your extensions have wheels for.
Source
    modal.com/docs/guide/images recommends tight pins; A100-Kernel-RL ef0ca70f
"""

from preflight.api import Findings, Image, Recipe, advice, build, facts, rule, warning
from preflight.rules.subjects import PACKAGES, Package

BY_NAME = PACKAGES.only(lambda p: p.name == "torch" and not p.package.url, "install of torch")


@rule("IMG280", BY_NAME.by(lambda p: id(p.image)))
def find(recipe: Recipe, installs: list[Package]) -> Findings:
    bound = _bound_to_torch(installs[0].image)
    for torch in installs:
        if torch.package.specifier.startswith(("==", "~=")):
            return  # and stays pinned
        if build.install_pins_torch(torch.pip) or {"-c", "--constraint"} & {*torch.pip.options}:
            continue
        say = warning if bound else advice
        yield say(
            f"{torch.package.written} takes the newest torch of the day",
            "pin torch with ==" + (f": {bound} fits one minor of torch" if bound else ""),
            torch.where,
            why="the next image build may get another torch, and what was built for the old one stops loading",
        )


def _bound_to_torch(image: Image) -> str:
    wheels = (facts.wheel_name(p.url) for _, i in image.pip_installs() for p in i.packages if p.url)
    names = (*(e.name for e in build.ext_installs(image)), *(w.name for w in wheels if w is not None and w.torch))
    return next(iter(names), "")
