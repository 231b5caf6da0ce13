"""The entrypoint of a CUDA base is cleared.

Looks at
    nvidia/cuda and nvcr.io bases without `.entrypoint([])`.
Why it matters
    Their entrypoint prints a licence banner into the log of every container.  It does no harm.
Example
    before   from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    after    from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").entrypoint([])
How to fix
    Add `.entrypoint([])` after the base.
Source
    modal.com/docs/guide/existing-images
"""

from preflight.api import Findings, Recipe, advice, rule
from preflight.rules.subjects import BASES, Started

CUDA_BASES = BASES.only(
    lambda i: i.base.reference is not None and i.base.reference.startswith(("nvidia/cuda", "nvcr.io/")), "CUDA base"
)


@rule("IMG230", CUDA_BASES)
def find(recipe: Recipe, started: Started) -> Findings:
    image, base = started.image, started.base
    if image.is_complete and not any(s.method in ("entrypoint", "dockerfile_commands") for s in image.steps):
        yield advice(
            f"{base.reference} keeps its entrypoint, which prints a banner into every log",
            "add .entrypoint([]) after the base",
            base.step.where,
        )
