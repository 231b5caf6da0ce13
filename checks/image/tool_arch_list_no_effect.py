"""TORCH_CUDA_ARCH_LIST is set where it has an effect.

Looks at   TORCH_CUDA_ARCH_LIST in `.env` of an image whose only extensions are mamba-ssm, causal-conv1d or
           flash-attn.
Why        these write their -gencode list into setup.py; torch then adds nothing.  The build is as long as before.
Before     .env({"TORCH_CUDA_ARCH_LIST": "8.0"}).pip_install("mamba-ssm==2.3.1", …)
After      .pip_install("mamba-ssm==2.3.1", …)
Source     torch/utils/cpp_extension.py 2.0 to 2.15: no flags when any flag says "arch"; measured on an H100
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    advice,
    counted,
    names,
    over_images,
    rule,
    source_builds,
    word_where,
)


def applies(recipe: Recipe) -> str:
    return counted(sum("TORCH_CUDA_ARCH_LIST" in s.env for i in recipe.images for s in i.steps), "TORCH_CUDA_ARCH_LIST")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    builds = source_builds(image)
    if not builds or not all(e.row.has_own_archs for e in builds):
        return
    for step in image.steps:
        if "TORCH_CUDA_ARCH_LIST" in step.env:
            yield advice(
                f"TORCH_CUDA_ARCH_LIST has no effect on {names(list(builds))}, which list their own architectures",
                "leave it out, unless something compiles at run time",
                word_where(recipe, step, "TORCH_CUDA_ARCH_LIST"),
            )


CHECK = rule(
    id="IMG170",
    name="tool-arch-list-no-effect",
    title="TORCH_CUDA_ARCH_LIST is set where it has an effect",
    find=find,
    applies=applies,
)
