"""torch and the toolkit know the GPU that the functions ask for.

Looks at
    Functions on B200, B300 and RTX-PRO-6000, and the CUDA of torch and of the base in their image.
Why it matters
    CUDA before 12.8 has no code for Blackwell: "no kernel image is available for execution on the device".
Example
    before   .pip_install("torch==2.6.0") … @app.function(gpu="B200")
    after    .pip_install("torch==2.8.0") … @app.function(gpu="B200")
How to fix
    Take a torch and an nvidia/cuda base of the CUDA that the message names, or newer.
Source
    modal.com/docs/guide/gpu, 2026-08-22; sm list of the torch wheels
"""

from collections.abc import Iterator

from preflight.app.model import Recipe
from preflight.app.places import argument_where
from preflight.build.ext_steps import source_builds
from preflight.build.surroundings import base_of
from preflight.build.torch_in import torch_at_end
from preflight.facts.torch import number
from preflight.model import Finding
from preflight.rules.findings import error
from preflight.rules.form import rule
from preflight.rules.subjects import GPU_IMAGES, GpuImage


@rule("IMG190", GPU_IMAGES)
def find(recipe: Recipe, used: GpuImage) -> Iterator[Finding]:
    young = [row for row in used.gpus if row.least_cuda]
    if not young:
        return
    least = min((row.least_cuda for row in young), key=number)
    cards = ", ".join(row.name for row in young)
    torch, base, builds = torch_at_end(used.image), base_of(used.image), source_builds(used.image)
    if torch.n >= 0 and torch.version and torch.cuda and torch.cuda != "cpu" and number(torch.cuda) < number(least):
        yield error(
            f"torch {torch.version} is built for CUDA {torch.cuda}, and {cards} needs {least} or newer",
            "take torch 2.7 from the cu128 index, or torch 2.8 or newer",
            torch.where(used.image),
            why="the first kernel fails on the GPU: no kernel image is available",
        )
    if base is not None and base.cuda is not None and builds and number(base.cuda) < number(least):
        yield error(
            f"{base.reference} has the toolkit of CUDA {base.cuda}, and {cards} needs {least} or newer",
            f"take an nvidia/cuda base of CUDA {least} or newer",
            argument_where(recipe, base.step, "tag", 0),
            why=f"{builds[0].name} is built without code for this GPU",
        )
