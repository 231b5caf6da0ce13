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

from preflight.api import Finding, Findings, Image, Recipe, Where, app, build, facts, rule, warning
from preflight.rules.subjects import IMAGES


@rule("IMG210", IMAGES)
def find(recipe: Recipe, image: Image) -> Findings:
    base, torch = build.base_of(image), build.torch_at_end(image)
    least = facts.limit("guaranteed_cuda_major").least
    if base is not None and base.cuda is not None and facts.version_number(base.cuda)[0] < least:
        yield _old(f"{base.reference} has CUDA {base.cuda}", app.argument_where(recipe, base.step, "tag", 0))
    elif torch.n >= 0 and torch.cuda and torch.cuda != "cpu" and facts.version_number(torch.cuda)[0] < least:
        name = f"torch {torch.version}" if torch.version else "torch"
        yield _old(f"{name} is built for CUDA {torch.cuda}", torch.where(image))


def _old(what: str, where: Where) -> Finding:
    return warning(
        f"{what}; Modal guarantees CUDA 12 and 13",
        "take a CUDA 12 base, and a torch of CUDA 12",
        where,
        why="newer GPUs and drivers may refuse it",
    )
