"""Nothing depends on CUDA 11.

Looks at
    nvidia/cuda:11.* bases, and torch built for cu11x.
Why it matters
    Modal guarantees 12.* and 13.* images on its hosts; 11.* "may not be" compatible.
Example
    before   from_registry("nvidia/cuda:11.8.0-devel-ubuntu22.04", …)
    after    from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", …)
How to fix
    Take a CUDA 12 base, and a torch of CUDA 12.
Source
    modal.com/docs/guide/cuda, 2026-08-22
"""

from collections.abc import Iterator

from preflight.app.model import Image, Recipe
from preflight.app.places import argument_where
from preflight.build.surroundings import base_of
from preflight.build.torch_in import torch_at_end
from preflight.facts.images import limit
from preflight.facts.torch import number
from preflight.model import Finding, Where
from preflight.rules.findings import warning
from preflight.rules.form import rule
from preflight.rules.subjects import IMAGES


@rule("IMG210", IMAGES)
def find(recipe: Recipe, image: Image) -> Iterator[Finding]:
    base, torch = base_of(image), torch_at_end(image)
    least = limit("guaranteed_cuda_major").least
    if base is not None and base.cuda is not None and number(base.cuda)[0] < least:
        yield _old(f"{base.reference} has CUDA {base.cuda}", argument_where(recipe, base.step, "tag", 0))
    elif torch.n >= 0 and torch.cuda and torch.cuda != "cpu" and number(torch.cuda)[0] < least:
        name = f"torch {torch.version}" if torch.version else "torch"
        yield _old(f"{name} is built for CUDA {torch.cuda}", torch.where(image))


def _old(what: str, where: Where) -> Finding:
    return warning(
        f"{what}; Modal guarantees CUDA 12 and 13",
        "take a CUDA 12 base, and a torch of CUDA 12",
        where,
        why="newer GPUs and drivers may refuse it",
    )
