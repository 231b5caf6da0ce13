"""A build that looks for the GPU has one, or is told the architecture.

Looks at   torch extensions that do not list their own architectures (rasterizers, simple-knn, pytorch3d,
           detectron2, apex …), built with neither `gpu=` nor TORCH_CUDA_ARCH_LIST.
Why        torch asks the GPUs it sees, and a builder has none: "IndexError: list index out of range".  Others
           build for the CPU alone and say nothing.
Before     .run_commands("pip install --no-build-isolation git+https://…/simple-knn@<sha>")
After      .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"}).run_commands(…)   or   .run_commands(…, gpu="A100")
Source     torch/utils/cpp_extension.py, _get_cuda_arch_flags; modal.com/docs/guide/images
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    env_before,
    error,
    has_nvcc,
    is_known_before,
    over_images,
    rule,
    source_builds,
    source_builds_in,
    warning,
)

STOPS = frozenset({"diff-gaussian-rasterization", "simple-knn", "minkowskiengine"})


def applies(recipe: Recipe) -> str:
    return source_builds_in(recipe)


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for ext in source_builds(image):
        said = {**env_before(image, ext.n), **ext.install.env}
        if ext.row.has_own_archs or ext.step.kwargs.get("gpu") or "**" in ext.step.kwargs:
            continue
        if {"TORCH_CUDA_ARCH_LIST", "TCNN_CUDA_ARCHITECTURES"} & said.keys() or has_nvcc(image, ext.n) is not True:
            continue
        if not is_known_before(image, ext.n):
            continue
        say = error if ext.name in STOPS else warning
        yield say(
            f"{ext.name} is built for the GPUs that the builder sees, and it sees none",
            'set .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"}) before this step, or give the step gpu=',
            ext.where,
            why="the build stops with IndexError, or leaves out the CUDA code without a word",
        )


CHECK = rule(
    id="IMG160",
    name="tool-arch-autodetect",
    title="a build that asks for the GPU has one, or is told its architecture",
    find=find,
    applies=applies,
)
