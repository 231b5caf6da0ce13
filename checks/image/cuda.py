"""The CUDA of the base, of torch and of the hosts, and the GPUs that a build makes code for."""

import re

from preflight.api import ExtInstall, Findings, Image, Link, Recipe, advice, app, build, error, facts, rule, warning
from preflight.rules.subjects import BASES, GPU_IMAGES, IMAGES, SOURCE_BUILDS, STEPS, GpuImage, Started, env_for

FOLDER = re.compile(r"/usr/local/cuda-(\d+\.\d+)")
VARIABLES = ("CUDA_HOME", "CUDA_PATH", "PATH", "LD_LIBRARY_PATH")
NAMING = STEPS.only(
    lambda link: any(isinstance(v, str) and "/usr/local/cuda" in v for v in link.step.env.values()),
    "step that names a CUDA folder",
)
STOPS = frozenset({"diff-gaussian-rasterization", "simple-knn", "minkowskiengine"})
ARCHS = frozenset({"TORCH_CUDA_ARCH_LIST", "TCNN_CUDA_ARCHITECTURES"})
ARCH = re.compile(r"(\d+)\.(\d)(\+PTX)?")
WHY = "the first forward fails on the GPU: no kernel image is available"


@rule("IMG210", IMAGES)
def tool_cuda_11(recipe: Recipe, image: Image) -> Findings:
    """Nothing depends on CUDA 11.

    Looks at: nvidia/cuda:11.* bases, and torch built for cu11x.
    Why it matters: Modal guarantees 12.* and 13.* images on its hosts; 11.* "may not be" compatible.
    Example:
        before   from_registry("nvidia/cuda:11.8.0-devel-ubuntu22.04", …)
        after    from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", …)
    How to fix: Take a CUDA 12 base, and a torch of CUDA 12.
    Source: modal.com/docs/guide/cuda, 2026-08-22
    """
    base, torch = build.base_of(image), build.torch_at_end(image)
    least = f"{facts.limit('guaranteed_cuda_major').least:g}.0"
    what, where = "", image.where
    if base is not None and facts.is_older_cuda(base.cuda, least):
        what, where = f"{base.reference} has CUDA {base.cuda}", app.argument_where(recipe, base.step, "tag", 0)
    elif torch.n >= 0 and facts.is_older_cuda(torch.cuda, least):
        name = f"torch {torch.version}" if torch.version else "torch"
        what, where = f"{name} is built for CUDA {torch.cuda}", torch.where(image)
    if what:
        yield warning(
            f"{what}; Modal guarantees CUDA 12 and 13",
            "take a CUDA 12 base, and a torch of CUDA 12",
            where,
            why="newer GPUs and drivers may refuse it",
        )


@rule("IMG140", NAMING)
def tool_cuda_home_mismatch(recipe: Recipe, link: Link) -> Findings:
    """CUDA_HOME, PATH and LD_LIBRARY_PATH name the toolkit that is there.

    Looks at: /usr/local/cuda-X.Y in `.env`, against the version in the tag of the nvidia/cuda base.
    Why it matters: The folder does not exist: nvcc is not found, or libraries of another version are.
    Example:
        before   from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).env({"CUDA_HOME": "/usr/local/cuda-12.1"})
        after    from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).env({"CUDA_HOME": "/usr/local/cuda"})
    How to fix: Use `/usr/local/cuda`, which is always the toolkit of the image.
    Source: Dockerfiles of nvidia/cuda
    """
    base, step = build.base_of(link.image), link.step
    if base is None or base.cuda is None or not build.is_known_before(link.image, len(link.image.steps)):
        return
    has = facts.minor(base.cuda)
    if any(p.startswith("cuda") for p in build.apt_before(link.image, link.n)):
        return  # another toolkit may have been installed
    if any("cuda" in c.text for c in (*link.shell_before, *step.shell)):
        return
    for key, value in step.env.items():
        other = next((v for v in FOLDER.findall(value) if v != has), None) if isinstance(value, str) else None
        if key in VARIABLES and other:
            old = f"/usr/local/cuda-{other}"
            yield warning(
                f"{key} names {old}, and {base.reference} has CUDA {has}",
                "use /usr/local/cuda, which is always the one that is there",
                app.word_where(recipe, step, key),
                why="nvcc or its libraries are not found when something compiles",
                fix=app.replace_span(recipe, step.where, step.link, old, "/usr/local/cuda", is_safe=True),
            )


@rule("IMG200", BASES.only(lambda i: i.base.cuda, "base with a CUDA version"))
def tool_cuda_newer_than_host(recipe: Recipe, started: Started) -> Findings:
    """The toolkit is not newer than the driver of the hosts.

    Looks at: The CUDA version in the tag of the base, against the CUDA of the driver on Modal's hosts (`preflight
        facts`).
    Why it matters: Minor versions are mostly compatible; PTX of a newer toolkit is not ("the provided PTX was compiled
        with an unsupported toolchain").
    Example:
        before   from_registry("nvidia/cuda:13.3.0-devel-ubuntu24.04", …)
        after    from_registry("nvidia/cuda:13.0.0-devel-ubuntu24.04", …)
    How to fix: Take a base whose CUDA is not newer than that of the hosts.
    Source: modal.com/docs/guide/cuda, 2026-08-22
    """
    base, host = started.base, facts.limit("host_cuda")
    if base.cuda is not None and facts.version_number(base.cuda) > facts.version_number(str(host.most)):
        yield warning(
            f"{base.reference} has CUDA {base.cuda}; Modal's hosts have CUDA {host.most} (read {host.seen})",
            f"take a base of CUDA {host.most} or older",
            app.argument_where(recipe, base.step, "tag", 0),
            why="code compiled with a newer toolkit may not load under the hosts' driver",
        )


@rule("IMG190", GPU_IMAGES)
def tool_cuda_too_old_for_gpu(recipe: Recipe, used: GpuImage) -> Findings:
    """torch and the toolkit know the GPU that the functions ask for.

    Looks at: Functions on B200, B300 and RTX-PRO-6000, and the CUDA of torch and of the base in their image.
    Why it matters: CUDA before 12.8 has no code for Blackwell: "no kernel image is available for execution on the
        device".
    Example:
        before   .pip_install("torch==2.6.0") … @app.function(gpu="B200")
        after    .pip_install("torch==2.8.0") … @app.function(gpu="B200")
    How to fix: Take a torch and an nvidia/cuda base of the CUDA that the message names, or newer.
    Source: modal.com/docs/guide/gpu, 2026-08-22; sm list of the torch wheels
    """
    young = [row for row in used.gpus if row.least_cuda]
    if not young:
        return
    least = min((row.least_cuda for row in young), key=facts.version_number)
    cards = ", ".join(row.name for row in young)
    torch, base, builds = build.torch_at_end(used.image), build.base_of(used.image), build.source_builds(used.image)
    if torch.n >= 0 and torch.version and facts.is_older_cuda(torch.cuda, least):
        yield error(
            f"torch {torch.version} is built for CUDA {torch.cuda}, and {cards} needs {least} or newer",
            "take torch 2.7 from the cu128 index, or torch 2.8 or newer",
            torch.where(used.image),
            why="the first kernel fails on the GPU: no kernel image is available",
        )
    if base is not None and builds and facts.is_older_cuda(base.cuda, least):
        yield error(
            f"{base.reference} has the toolkit of CUDA {base.cuda}, and {cards} needs {least} or newer",
            f"take an nvidia/cuda base of CUDA {least} or newer",
            app.argument_where(recipe, base.step, "tag", 0),
            why=f"{builds[0].name} is built without code for this GPU",
        )


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
