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

from preflight.api import Findings, Recipe, app, build, error, facts, rule
from preflight.rules.subjects import GPU_IMAGES, GpuImage


@rule("IMG190", GPU_IMAGES)
def find(recipe: Recipe, used: GpuImage) -> Findings:
    young = [row for row in used.gpus if row.least_cuda]
    if not young:
        return
    least = min((row.least_cuda for row in young), key=facts.version_number)
    cards = ", ".join(row.name for row in young)
    torch, base, builds = build.torch_at_end(used.image), build.base_of(used.image), build.source_builds(used.image)
    if (
        torch.n >= 0
        and torch.version
        and torch.cuda
        and torch.cuda != "cpu"
        and facts.version_number(torch.cuda) < facts.version_number(least)
    ):
        yield error(
            f"torch {torch.version} is built for CUDA {torch.cuda}, and {cards} needs {least} or newer",
            "take torch 2.7 from the cu128 index, or torch 2.8 or newer",
            torch.where(used.image),
            why="the first kernel fails on the GPU: no kernel image is available",
        )
    if (
        base is not None
        and base.cuda is not None
        and builds
        and facts.version_number(base.cuda) < facts.version_number(least)
    ):
        yield error(
            f"{base.reference} has the toolkit of CUDA {base.cuda}, and {cards} needs {least} or newer",
            f"take an nvidia/cuda base of CUDA {least} or newer",
            app.argument_where(recipe, base.step, "tag", 0),
            why=f"{builds[0].name} is built without code for this GPU",
        )
