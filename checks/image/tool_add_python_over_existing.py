"""`add_python=` is not put on an image that already has its own Python and torch.

Looks at   `from_registry(…, add_python=…)` of pytorch/pytorch, nvcr.io/nvidia/pytorch and python images.
Why        the image then has two Pythons.  pip installs into the added one, and the image's torch (several GB)
           stands in the other, where nothing of yours can import it.
Before     modal.Image.from_registry("pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel", add_python="3.11")
After      modal.Image.from_registry("pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel")
Source     modal.com/docs/guide/existing-images
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    argument_where,
    base_of,
    counted,
    over_images,
    remove_keyword,
    rule,
    warning,
)


def applies(recipe: Recipe) -> str:
    found = [b for i in recipe.images if (b := base_of(i)) is not None and b.adds_python]
    return counted(len(found), "image with add_python", "images with add_python")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None or not base.adds_python or base.row is None or base.row.is_served:
        return
    if "python" in base.row.holds:
        has = "Python and torch" if "torch" in base.row.holds else "Python"
        yield warning(
            f"{base.reference} has its own {has}, and add_python puts a second Python in front of it",
            "leave add_python out, or start from an nvidia/cuda image",
            argument_where(recipe, base.step, "add_python", 1),
            why="packages land in one Python and torch sits in the other",
            fix=remove_keyword(recipe, base.step, "add_python", is_safe=True),
        )


CHECK = rule(
    id="IMG220",
    name="tool-add-python-over-existing",
    title="add_python is not put over an image's own Python",
    find=find,
    applies=applies,
)
