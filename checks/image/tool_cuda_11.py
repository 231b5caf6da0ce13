"""Nothing rests on CUDA 11.

Looks at   nvidia/cuda:11.* bases, and torch built for cu11x.
Why        Modal guarantees 12.* and 13.* images on its hosts; 11.* "may not be" compatible.
Before     from_registry("nvidia/cuda:11.8.0-devel-ubuntu22.04", …)
After      from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", …)
Source     modal.com/docs/guide/cuda, 2026-08-22
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    Where,
    argument_where,
    base_of,
    counted,
    limit,
    over_images,
    rule,
    torch_at_end,
    version_number,
    warning,
)


def applies(recipe: Recipe) -> str:
    return counted(len(recipe.images), "image")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    least = limit("guaranteed_cuda_major").least
    if base is not None and base.cuda is not None and version_number(base.cuda)[0] < least:
        yield _old(f"{base.reference} has CUDA {base.cuda}", argument_where(recipe, base.step, "tag", 0))
        return
    torch = torch_at_end(image)
    if torch.n >= 0 and torch.cuda and torch.cuda != "cpu" and version_number(torch.cuda)[0] < least:
        yield _old(f"torch {torch.version or ''} is built for CUDA {torch.cuda}".replace("  ", " "), torch.where(image))


def _old(said: str, where: Where) -> Finding:
    return warning(
        f"{said}; Modal guarantees CUDA 12 and 13",
        "take a CUDA 12 base, and a torch of CUDA 12",
        where,
        why="newer GPUs and drivers may refuse it",
    )


CHECK = rule(
    id="IMG210",
    name="tool-cuda-11",
    title="nothing rests on CUDA 11",
    find=find,
    applies=applies,
)
