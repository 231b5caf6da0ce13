"""The GPUs that a build makes code for."""

import re

from preflight.api import ExtInstall, Findings, Link, Recipe, advice, app, build, error, rule, warning
from preflight.rules.subjects import GPU_IMAGES, SOURCE_BUILDS, STEPS, GpuImage, env_for

STOPS = frozenset({"diff-gaussian-rasterization", "simple-knn", "minkowskiengine"})
ARCHS = frozenset({"TORCH_CUDA_ARCH_LIST", "TCNN_CUDA_ARCHITECTURES"})


@rule("IMG160", SOURCE_BUILDS)
def tool_arch_autodetect(recipe: Recipe, ext: ExtInstall) -> Findings:
    """A build that asks for the GPU has one, or is told its architecture.

    Looks at: torch extensions that do not list their own architectures (rasterizers, simple-knn, pytorch3d, detectron2,
        apex …), built with neither `gpu=` nor TORCH_CUDA_ARCH_LIST.
    Why it matters: torch asks the GPUs it sees, and a builder has none: "IndexError: list index out of range". Others
        build for the CPU alone, without a message.
    Example:
        before   .run_commands("pip install --no-build-isolation git+https://…/simple-knn@<sha>")
        after    .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"}).run_commands(…)   or   .run_commands(…, gpu="A100")
    How to fix: Set TORCH_CUDA_ARCH_LIST before the step, or give the step `gpu=`.
    Source: torch/utils/cpp_extension.py, _get_cuda_arch_flags; modal.com/docs/guide/images
    """
    is_told = ext.row.has_own_archs or ext.step.kwargs.get("gpu") or "**" in ext.step.kwargs
    if is_told or ARCHS & env_for(ext).keys() or not build.is_known_before(ext.image, ext.n):
        return
    if build.has_nvcc(ext.image, ext.n):
        say = error if ext.name in STOPS else warning
        yield say(
            f"{ext.name} is built for the GPUs that the builder sees, and it sees none",
            'set .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"}) before this step, or give the step gpu=',
            ext.where,
            why="the build stops with IndexError, or leaves out the CUDA code without a message",
        )


ARCH = re.compile(r"(\d+)\.(\d)(\+PTX)?")
WHY = "the first forward fails on the GPU: no kernel image is available"


@rule("IMG180", GPU_IMAGES.only(lambda i: build.ext_installs(i.image)))
def tool_arch_gpu_mismatch(recipe: Recipe, used: GpuImage) -> Findings:
    """What is built covers the GPUs that the functions ask for.

    Looks at: flash-attn in the image of a function with a GPU older than Ampere, and TORCH_CUDA_ARCH_LIST in the image
        of a function whose GPU none of its architectures runs on.
    Why it matters: The kernel is not in the file: "no kernel image is available for execution on the device", at the
        first forward.
    Example:
        before   .env({"TORCH_CUDA_ARCH_LIST": "8.0"})…   @app.function(gpu="H100")
        after    .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"})…   @app.function(gpu="H100")
    How to fix: Add the GPU's compute capability to TORCH_CUDA_ARCH_LIST, or ask for a GPU that the extension supports.
    Source: README of flash-attn; CUDA: a cubin runs on the same major and a minor no older; +PTX on anything newer
    """
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


@rule("IMG170", STEPS.only(lambda link: "TORCH_CUDA_ARCH_LIST" in link.step.env, "step that sets TORCH_CUDA_ARCH_LIST"))
def tool_arch_list_no_effect(recipe: Recipe, link: Link) -> Findings:
    """TORCH_CUDA_ARCH_LIST is set where it has an effect.

    Looks at: TORCH_CUDA_ARCH_LIST in `.env` of an image whose only extensions are mamba-ssm, causal-conv1d or
        flash-attn.
    Why it matters: These write their -gencode list into setup.py; torch then adds nothing. The build takes as long as
        before.
    Example:
        before   .env({"TORCH_CUDA_ARCH_LIST": "8.0"}).pip_install("mamba-ssm==2.3.1", …)
        after    .pip_install("mamba-ssm==2.3.1", …)
    How to fix: Leave TORCH_CUDA_ARCH_LIST out, unless something compiles at run time.
    Source: torch/utils/cpp_extension.py of every torch in our table: no flags when any flag contains "arch"; measured
        on an H100
    """
    builds = build.source_builds(link.image)
    if builds and all(e.row.has_own_archs for e in builds):
        yield advice(
            f"TORCH_CUDA_ARCH_LIST has no effect on {build.names(list(builds))}, which list their own architectures",
            "leave it out, unless something compiles at run time",
            app.word_where(recipe, link.step, "TORCH_CUDA_ARCH_LIST"),
        )
