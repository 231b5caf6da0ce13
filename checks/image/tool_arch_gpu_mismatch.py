"""What is built covers the GPUs that the functions ask for.

Looks at
    flash-attn in the image of a function with a GPU older than Ampere, and TORCH_CUDA_ARCH_LIST in the image of a
    function whose GPU none of its architectures runs on.
Why it matters
    The kernel is not in the file: "no kernel image is available for execution on the device", at the first forward.
Example
    before   .env({"TORCH_CUDA_ARCH_LIST": "8.0"})…   @app.function(gpu="H100")
    after    .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"})…   @app.function(gpu="H100")
How to fix
    Add the GPU's compute capability to TORCH_CUDA_ARCH_LIST, or ask for a GPU that the extension supports.
Source
    README of flash-attn; CUDA: a cubin runs on the same major and a minor no older; +PTX on anything newer
"""

import re

from preflight.api import Findings, Recipe, app, build, error, rule
from preflight.rules.subjects import GPU_IMAGES, GpuImage

ARCH = re.compile(r"(\d+)\.(\d)(\+PTX)?")
WHY = "the first forward fails on the GPU: no kernel image is available"


@rule("IMG180", GPU_IMAGES.only(lambda i: build.ext_installs(i.image)))
def find(recipe: Recipe, used: GpuImage) -> Findings:
    image = used.image
    for ext in build.ext_installs(image):
        old = [row.name for row in used.gpus if row.sm < ext.row.least_sm]
        if old:
            yield error(
                f"{ext.name} has no kernels for {', '.join(old)}: it needs compute capability {ext.row.least_sm / 10}",
                "ask for an A10, L4, A100 or newer, or leave it out for this function",
                ext.where,
                why=WHY,
            )
    if all(e.row.has_own_archs for e in build.source_builds(image)):
        return
    for step in image.steps:
        listed = step.env.get("TORCH_CUDA_ARCH_LIST")
        missing = [r.name for r in used.gpus if isinstance(listed, str) and not _covers(listed, r.sm)]
        if missing:
            yield error(
                f'TORCH_CUDA_ARCH_LIST="{listed}" has nothing that runs on {", ".join(missing)}',
                "add its compute capability, for example 9.0 for an H100",
                app.word_where(recipe, step, "TORCH_CUDA_ARCH_LIST"),
                why=WHY,
            )


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
