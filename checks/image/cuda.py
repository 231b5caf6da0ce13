"""The CUDA of the base, of torch, of the hosts and of the GPU."""

import re

from preflight.api import Findings, Image, Link, Recipe, app, build, error, facts, rule, warning
from preflight.rules.subjects import BASES, GPU_IMAGES, IMAGES, STEPS, GpuImage, Started


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


FOLDER = re.compile(r"/usr/local/cuda-(\d+\.\d+)")
VARIABLES = ("CUDA_HOME", "CUDA_PATH", "PATH", "LD_LIBRARY_PATH")
NAMING = STEPS.only(
    lambda link: any(isinstance(v, str) and "/usr/local/cuda" in v for v in link.step.env.values()),
    "step that names a CUDA folder",
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
