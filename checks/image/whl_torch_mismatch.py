"""A wheel's torch is the torch of the image.

Looks at
    Addresses of wheels whose name has torchX.Y, and the torch that the image ends up with; where a later package
    makes that unknown, the torch of the step itself.
Why it matters
    Such a wheel loads under one minor of torch. Under another it fails at import with "undefined symbol".
Example
    before   .pip_install("torch==2.11.0", "https://…/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-….whl")
    after    a wheel that says torch2.11, or torch==2.6.0
How to fix
    Take a wheel for the image's torch, or pin torch to the wheel's.
Source
    C++ symbols of each torch in the table; SWE-Qwen 0dd44ff2
"""

from preflight.api import Findings, Recipe, build, error, facts, rule, warning
from preflight.rules.subjects import WHEELS, Package


@rule("IMG470", WHEELS.only(lambda p: p.wheel and p.wheel.torch, "wheel with a torch in its name"))
def find(recipe: Recipe, package: Package) -> Findings:
    wheel, torch = package.wheel, build.torch_for_wheel(package.image, package.n, package.pip)
    version = torch.version or torch.expected
    if wheel is None or version is None or facts.minor(version) == wheel.torch:
        return
    say = error if torch.version else warning
    has = f"torch {version}" if torch.version else f"torch without a pin (today {version})"
    yield say(
        f"the wheel of {wheel.name} is for torch {wheel.torch}, and the image has {has}",
        f"take a wheel that says torch{facts.minor(version)}, or pin torch to {wheel.torch}",
        package.where,
        why="the import fails on the GPU with: undefined symbol",
    )
