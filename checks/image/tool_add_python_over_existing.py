"""add_python is not put over an image's own Python.

Looks at
    `from_registry(…, add_python=…)` of pytorch/pytorch, nvcr.io/nvidia/pytorch and python images.
Why it matters
    The image then has two Pythons.  pip installs into the added one, and the image's torch (several GB)
    stands in the other, where nothing of yours can import it.
Example
    before   modal.Image.from_registry("pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel", add_python="3.11")
    after    modal.Image.from_registry("pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel")
How to fix
    Leave `add_python` out, or start from an nvidia/cuda image.
Source
    modal.com/docs/guide/existing-images
"""

from preflight.api import Findings, Recipe, app, rule, warning
from preflight.rules.subjects import BASES, Started


@rule("IMG220", BASES.only(lambda i: i.base.adds_python, "image with add_python"))
def find(recipe: Recipe, started: Started) -> Findings:
    base = started.base
    if base.row is None or base.row.is_served or "python" not in base.row.holds:
        return
    has = "Python and torch" if "torch" in base.row.holds else "Python"
    yield warning(
        f"{base.reference} has its own {has}, and add_python puts a second Python in front of it",
        "leave add_python out, or start from an nvidia/cuda image",
        app.argument_where(recipe, base.step, "add_python", 1),
        why="packages land in one Python and torch sits in the other",
        fix=app.remove_keyword(recipe, base.step, "add_python", is_safe=True),
    )
