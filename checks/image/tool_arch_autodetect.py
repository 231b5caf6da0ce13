"""A build that asks for the GPU has one, or is told its architecture.

Looks at
    torch extensions that do not list their own architectures (rasterizers, simple-knn, pytorch3d, detectron2, apex
    …), built with neither `gpu=` nor TORCH_CUDA_ARCH_LIST.
Why it matters
    torch asks the GPUs it sees, and a builder has none: "IndexError: list index out of range". Others build for the
    CPU alone, without a message.
Example
    before   .run_commands("pip install --no-build-isolation git+https://…/simple-knn@<sha>")
    after    .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"}).run_commands(…)   or   .run_commands(…, gpu="A100")
How to fix
    Set TORCH_CUDA_ARCH_LIST before the step, or give the step `gpu=`.
Source
    torch/utils/cpp_extension.py, _get_cuda_arch_flags; modal.com/docs/guide/images
"""

from preflight.api import ExtInstall, Findings, Recipe, build, error, rule, warning
from preflight.rules.subjects import SOURCE_BUILDS, env_for

STOPS = frozenset({"diff-gaussian-rasterization", "simple-knn", "minkowskiengine"})
ARCHS = frozenset({"TORCH_CUDA_ARCH_LIST", "TCNN_CUDA_ARCHITECTURES"})


@rule("IMG160", SOURCE_BUILDS)
def find(recipe: Recipe, ext: ExtInstall) -> Findings:
    if ext.row.has_own_archs or ext.step.kwargs.get("gpu") or "**" in ext.step.kwargs:
        return
    if (
        ARCHS & env_for(ext).keys()
        or build.has_nvcc(ext.image, ext.n) is not True
        or not build.is_known_before(ext.image, ext.n)
    ):
        return
    say = error if ext.name in STOPS else warning
    yield say(
        f"{ext.name} is built for the GPUs that the builder sees, and it sees none",
        'set .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"}) before this step, or give the step gpu=',
        ext.where,
        why="the build stops with IndexError, or leaves out the CUDA code without a message",
    )
