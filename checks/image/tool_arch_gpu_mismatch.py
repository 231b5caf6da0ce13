"""What is built covers the GPUs that the functions ask for.

Looks at   flash-attn in the image of a function with a GPU older than Ampere, and TORCH_CUDA_ARCH_LIST in the image
           of a function whose GPU none of its architectures runs on.
Why        the kernel is not in the file: "no kernel image is available for execution on the device", at the first
           forward.
Before     .env({"TORCH_CUDA_ARCH_LIST": "8.0"})…   @app.function(gpu="H100")
After      .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"})…   @app.function(gpu="H100")
Source     README of flash-attn; CUDA: a cubin runs on the same major and a minor no older; +PTX on anything newer
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Function,
    Gpu,
    Image,
    Recipe,
    counted,
    error,
    ext_installs,
    gpu,
    over_images,
    rule,
    source_builds,
    word_where,
)

ARCH = re.compile(r"(\d+)\.(\d)(\+PTX)?")


def applies(recipe: Recipe) -> str:
    return counted(
        sum(bool(f.gpu) for f in recipe.functions) if any(ext_installs(i) for i in recipe.images) else 0,
        "function with a GPU",
        "functions with a GPU",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    gpus = {g.type: row for f in recipe.functions if _uses(f, image) for g in _gpus(f) if (row := gpu(g.type))}
    for ext in ext_installs(image):
        old = [name for name, row in gpus.items() if row.sm < ext.row.least_sm]
        if old:
            yield error(
                f"{ext.name} has no kernels for {', '.join(old)}: it needs compute capability {ext.row.least_sm / 10}",
                "ask for an A10, L4, A100 or newer, or leave it out for this function",
                ext.where,
                why="the first forward fails on the GPU: no kernel image is available",
            )
    if not any(not e.row.has_own_archs for e in source_builds(image)):
        return
    for step in image.steps:
        listed = step.env.get("TORCH_CUDA_ARCH_LIST")
        missing = [name for name, row in gpus.items() if isinstance(listed, str) and not _covers(listed, row.sm)]
        if missing:
            yield error(
                f'TORCH_CUDA_ARCH_LIST="{listed}" has nothing that runs on {", ".join(missing)}',
                "add its compute capability, for example 9.0 for an H100",
                word_where(recipe, step, "TORCH_CUDA_ARCH_LIST"),
                why="the first forward fails on the GPU: no kernel image is available",
            )


def _uses(function: Function, image: Image) -> bool:
    return isinstance(function.images, tuple) and any(i is image or i.steps == image.steps for i in function.images)


def _gpus(function: Function) -> tuple[Gpu, ...]:
    return function.gpu if isinstance(function.gpu, tuple) else ()


def _covers(listed: str, sm: int) -> bool:
    """Whether one entry runs on ``sm``; True for anything that can't be read as numbers."""
    entries = [e for e in re.split(r"[;\s,]+", listed) if e]
    for entry in entries:
        found = ARCH.fullmatch(entry.removesuffix("a"))
        if found is None:
            return True
        built = int(found[1]) * 10 + int(found[2])
        if built <= sm and (built // 10 == sm // 10 or found[3]):
            return True
    return not entries


CHECK = rule(
    id="IMG180",
    name="tool-arch-gpu-mismatch",
    title="what is built covers the GPUs that the functions ask for",
    find=find,
    applies=applies,
)
