"""torch and the toolkit know the GPU that the functions ask for.

Looks at   functions on B200, B300 and RTX-PRO-6000, and the CUDA of torch and of the base in their image.
Why        CUDA before 12.8 has no code for Blackwell: "no kernel image is available for execution on the device".
Before     .pip_install("torch==2.6.0") … @app.function(gpu="B200")
After      .pip_install("torch==2.8.0") … @app.function(gpu="B200")
Source     modal.com/docs/guide/gpu, 2026-08-22; sm list of the torch wheels
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Function,
    Gpu,
    Image,
    Recipe,
    argument_where,
    base_of,
    counted,
    error,
    gpu,
    over_images,
    rule,
    source_builds,
    torch_at_end,
    version_number,
)


def applies(recipe: Recipe) -> str:
    return counted(sum(bool(f.gpu) for f in recipe.functions), "function with a GPU", "functions with a GPU")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    rows = {row.name: row for f in recipe.functions if _uses(f, image) for g in _gpus(f) if (row := gpu(g.type))}
    blackwell = [row for row in rows.values() if row.least_cuda]
    if not blackwell:
        return
    torch = torch_at_end(image)
    base = base_of(image)
    cards = ", ".join(row.name for row in blackwell)
    if torch.n >= 0 and torch.version and torch.cuda and torch.cuda != "cpu" and version_number(torch.cuda) < (12, 8):
        yield error(
            f"torch {torch.version} is built for CUDA {torch.cuda}, and {cards} needs 12.8 or newer",
            "take torch 2.7 from the cu128 index, or torch 2.8 or newer",
            torch.where(image),
            why="the first kernel fails on the GPU: no kernel image is available",
        )
    builds = source_builds(image)
    least = min((row.least_cuda for row in blackwell), key=version_number)
    if base is not None and base.cuda is not None and builds and version_number(base.cuda) < version_number(least):
        yield error(
            f"{base.reference} has the toolkit of CUDA {base.cuda}, and {cards} needs {least} or newer",
            f"take an nvidia/cuda base of CUDA {least} or newer",
            argument_where(recipe, base.step, "tag", 0),
            why=f"{builds[0].name} is built without code for this GPU",
        )


def _uses(function: Function, image: Image) -> bool:
    return isinstance(function.images, tuple) and any(i is image or i.steps == image.steps for i in function.images)


def _gpus(function: Function) -> tuple[Gpu, ...]:
    return function.gpu if isinstance(function.gpu, tuple) else ()


CHECK = rule(
    id="IMG190",
    name="tool-cuda-too-old-for-gpu",
    title="torch and the toolkit know the GPU",
    find=find,
    applies=applies,
)
