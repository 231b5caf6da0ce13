"""The entrypoint of a CUDA base is cleared.

Looks at   nvidia/cuda and nvcr.io bases without `.entrypoint([])`.
Why        their entrypoint prints a licence banner into the log of every container.  It does no harm.
Before     from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
After      from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").entrypoint([])
Source     modal.com/docs/guide/existing-images
"""

from collections.abc import Iterator

from preflight.api import Context, Finding, Image, Recipe, advice, base_of, counted, over_images, rule


def applies(recipe: Recipe) -> str:
    return counted(sum((b := base_of(i)) is not None and b.cuda_tag is not None for i in recipe.images), "CUDA base")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None or base.reference is None or not base.reference.startswith(("nvidia/cuda", "nvcr.io/")):
        return
    if image.is_complete and not any(s.method in ("entrypoint", "dockerfile_commands") for s in image.steps):
        yield advice(
            f"{base.reference} keeps its entrypoint, which prints a banner into every log",
            "add .entrypoint([]) after the base",
            base.step.where,
        )


CHECK = rule(
    id="IMG230",
    name="tool-entrypoint",
    title="the entrypoint of a CUDA base is cleared",
    find=find,
    applies=applies,
)
