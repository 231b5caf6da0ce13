"""A wheel's CUDA major is torch's.

Looks at
    cu11, cu12 or cu13 in the address of a wheel, against the CUDA that the image's torch was built for.
Why it matters
    The wheel asks for another CUDA runtime: "libcudart.so.11.0: cannot open shared object file".
Example
    before   torch 2.11.0 (CUDA 13) with flash_attn-…+cu12torch2.11…
    after    flash_attn-…+cu13torch2.11…
How to fix
    Take the file of torch's CUDA, or a torch of the wheel's CUDA.
Source
    METADATA of each torch in the table
"""

from preflight.api import Findings, Recipe, build, error, rule, warning
from preflight.rules.subjects import WHEELS, Package


@rule("IMG490", WHEELS)
def find(recipe: Recipe, package: Package) -> Findings:
    wheel, torch = package.wheel, build.torch_at_end(package.image)
    if (
        torch.held not in (build.Held.PINNED, build.Held.BASE, build.Held.LOOSE)
        or torch.cuda in (None, "cpu")
        or wheel is None
    ):
        return
    major = (torch.cuda or "").split(".")[0]
    if wheel.cuda in (None, major):
        return
    say = error if torch.version else warning
    yield say(
        f"the wheel of {wheel.name} is for CUDA {wheel.cuda}, and torch {torch.version or torch.expected} "
        f"is built for CUDA {torch.cuda}",
        f"take the file that says cu{major}, or a torch of CUDA {wheel.cuda}",
        package.where,
        why="the import fails on the GPU: libcudart is not found",
    )
