"""The GPUs that an app asks for."""

import difflib
import re

from preflight.api import Call, Findings, Function, Recipe, advice, app, error, facts, rule, warning
from preflight.rules.subjects import FUNCTIONS, GPUS, IMAGE_CALLS, RESOURCE_CALLS, syntax

OLDER = frozenset({"A10G"})
MOST = 8  # of a GPU that is not in our table
STEPS_WITH_GPU = IMAGE_CALLS.only(
    lambda c: not c.name.endswith("run_function") and "gpu" in c.kwargs, "build step with a GPU"
)
ANY = "ANY"
SAME = {  # spelled in another way, and only one thing can be meant
    **dict.fromkeys(("A100-80", "A100-80G", "A10080GB"), "A100-80GB"),
    **dict.fromkeys(("A100-40", "A100-40G", "A10040GB"), "A100-40GB"),
    **dict.fromkeys(("RTXPRO6000", "RTX6000PRO"), "RTX-PRO-6000"),
    **{"H100-80GB": "H100", "H100-80": "H100", "H200-141GB": "H200", "L40-S": "L40S"},
}
WITHOUT_GPU = FUNCTIONS.only(
    lambda f: f.gpu == () and "gpu" not in f.call.kwargs and not f.call.has_spread, "function without a GPU"
)


@rule("RES561", GPUS)
def res_gpu_alias(recipe: Recipe, asked: tuple[Call, app.GpuText]) -> Findings:
    """GPUs have the names of Modal's documents.

    Looks at: The strings of `gpu=`: `A10G` is still taken for `A10`.
    Why it matters: A name that is no longer documented can stop working without notice.
    Example:
        before   @app.function(gpu="A10G")
        after    @app.function(gpu="A10")
    How to fix: Write the name of today.
    Source: modal.com/docs/guide/gpu, read 2026-08-22, lists A10; A10G is in older code and still accepted.
    """
    text = asked[1]
    row = facts.gpu(text.type) if text.type in OLDER else None
    if row is not None:
        today = row.name + (f":{text.count}" if text.count else "")
        yield advice(
            f"gpu {text.written!r} is the older name of {row.name}",
            f"write {today!r}",
            text.where,
            fix=app.replaced(text.where.path, text.span, app.quoted_like(text.literal, today), is_safe=True),
        )


@rule("RES570", GPUS.only(lambda asked: ":" in asked[1].written, "GPU count"))
def res_gpu_count(recipe: Recipe, asked: tuple[Call, app.GpuText]) -> Findings:
    """No container asks for more GPUs than a host has.

    Looks at: The number after the colon of `gpu=`.
    Why it matters: A container gets a limited number of GPUs of a type: 8 of most, 4 of A10. The service refuses more
        when the function is created; the client refuses a count that is not a number.
    Example:
        before   @app.function(gpu="H100:16")
        after    @app.function(gpu="H100:8")
    How to fix: Write a count within the limit. More GPUs need several containers (`modal.clustered`).
    Source: modal.com/docs/guide/gpu, read 2026-08-22 (the table of `preflight facts`); modal 1.6.4 parse_gpu_config.
    """
    text, row = asked[1], facts.gpu(asked[1].type)
    if row is None and text.type not in ("", "ANY"):
        return  # what Modal does not have is the finding of res-gpu-unknown
    most = row.most if row is not None else MOST
    name = text.written.partition(":")[0]
    try:
        count = int(text.count)
    except ValueError:
        yield error(
            f"{text.written!r}: {text.count!r} is not a GPU count",
            f"write a number from 1 to {most} after the colon",
            text.where,
            why="the client refuses it before anything is deployed",
        )
        return
    if not 1 <= count <= most:
        wanted = f"{name}:{most if count > most else 1}"
        yield error(
            f"{text.written!r} asks for {count} GPUs; a container has 1 to {most} of {text.type}",
            f"write {wanted}; more need several containers (modal.clustered)",
            text.where,
            why="the service refuses it when the app is deployed, after the image was built",
            fix=app.replaced(text.where.path, text.span, app.quoted_like(text.literal, wanted), is_safe=True),
        )


@rule("RES580", STEPS_WITH_GPU)
def res_gpu_list_in_build(recipe: Recipe, call: Call) -> Findings:
    """Build steps ask for one GPU, not for a list of alternatives.

    Looks at: `gpu=` of the image's steps (`pip_install`, `run_commands`, `uv_sync` …). `run_function` takes a list.
    Why it matters: Only functions, classes and `run_function` accept alternatives. A build step with a list fails when
        the image is built.
    Example:
        before   image.run_commands("python build.py", gpu=["H100", "A100"])
        after    image.run_commands("python build.py", gpu="H100")
    How to fix: Name one GPU.
    Source: modal 1.6.4 _image.py: steps hand `gpu` to parse_gpu_config, which takes a string or None.
    """
    value = call.kwargs["gpu"]
    if not isinstance(value, list | tuple):
        return
    first = value[0] if value and isinstance(value[0], str) else None
    yield error(
        f"{call.name.rsplit('.', 1)[-1]} gets a list of GPUs; a build step takes one",
        f"write gpu={first!r}" if first else "name one GPU",
        app.keyword_where(recipe, call, "gpu"),
        why="the image build stops at this step",
        fix=app.keyword_value(recipe.source, call, "gpu", f'"{first}"', is_safe=True) if first else None,
    )


@rule("RES560", GPUS, decides=True)
def res_gpu_unknown(recipe: Recipe, asked: tuple[Call, app.GpuText]) -> Findings:
    """Every GPU is one that Modal has.

    Looks at: The strings of `gpu=` wherever the text decides them. Upper and lower case, a count (`:8`), `H100!` and
        `B200+` are accepted as Modal accepts them.
    Why it matters: The client sends any string; the service refuses it when the function is created, after the image
        was built.
    Example:
        before   @app.function(gpu="A100-80")
        after    @app.function(gpu="A100-80GB")
    How to fix: Write one of the names that the message lists.
    Source: modal.com/docs/guide/gpu, read 2026-08-22 (the table of `preflight facts`); modal 1.6.4 parse_gpu_config
        does not check the name.
    """
    call, text = asked
    if text.type in (ANY, "") or facts.gpu(text.type) is not None:
        return
    meant, is_sure = _meant(text.type)
    row = facts.gpu(meant)
    count = str(min(int(text.count), row.most)) if row is not None and text.count.isdecimal() else text.count
    right = meant + (f":{count}" if count else "")
    literal = app.quoted_like(text.literal, right) if text.literal else ""
    newest = max(row.seen for name in facts.gpu_names() if (row := facts.gpu(name)) is not None)
    yield error(
        f"Modal has no GPU {text.written!r}; it has {', '.join(facts.gpu_names())} (read {newest})",
        f"write {right}" if meant else "choose a GPU that Modal has",
        text.where,
        why=f"{call.name.removeprefix('modal.')} is refused when the app is deployed, after the image was built",
        fix=app.replaced(text.where.path, text.span, literal, is_safe=is_sure) if meant and literal else None,
    )


def _meant(kind: str) -> tuple[str, bool]:
    """The name that was meant, and whether nothing else can have been."""
    plain = re.sub(r"[\s_]+", "-", re.sub(r"^(?:NVIDIA|TESLA)[-_ ]+", "", kind))
    known = plain if facts.gpu(plain) is not None else SAME.get(plain) or SAME.get(plain.replace("-", ""))
    if known:
        return known, True
    near = {*difflib.get_close_matches(plain, facts.gpu_names(), n=3, cutoff=0.75)}
    near |= {name for name in facts.gpu_names() if plain.startswith(name) or name.startswith(plain[:4])}
    near = {name for name in near if name[0] == plain[0]}  # a V100 is no H100 in another spelling
    return (near.pop(), False) if len(near) == 1 else ("", False)


@rule("RES590", WITHOUT_GPU)
def res_no_gpu(recipe: Recipe, function: Function) -> Findings:
    """A function that uses CUDA asks for a GPU.

    Looks at: Functions without `gpu=` whose body puts a model on CUDA without asking `is_available()` first, or that
        train with a launcher. A GPU given later by `with_options` counts.
    Why it matters: The container starts without a GPU: the first CUDA call raises, after the image build and the data
        download.
    Example:
        before   @app.function(image=image)
                 def train(): model.cuda()
        after    @app.function(image=image, gpu="A100-80GB")
                 def train(): model.cuda()
    How to fix: Add `gpu=` to the decorator, or ask `torch.cuda.is_available()` before the model is moved.
    Source: modal.com/docs/guide/gpu: no GPU unless `gpu=` asks for one.
    """
    use = app.cuda_use_of(function)
    if use is None or {"gpu", "**"} & app.options_given_later(recipe, function.name):
        return
    line = f"line {use.lineno}"
    if function.where.path == recipe.source.path:
        line += f": {' '.join(syntax(recipe).text(use).split())[:60]}"
    yield warning(
        f"{function.name} uses CUDA ({line}) and has no gpu=",
        'add gpu= to its decorator, such as gpu="A100-80GB"',
        function.call.where,
        why="the container has no GPU; the first CUDA call raises",
    )


@rule("RES630", RESOURCE_CALLS.only(lambda c: c.kwargs.get("nonpreemptible") is True, "non-preemptible function"))
def res_nonpreemptible_gpu(recipe: Recipe, call: Call) -> Findings:
    """Nothing asks for a GPU that can't be preempted.

    Looks at: `nonpreemptible=True` together with `gpu=`.
    Why it matters: Only CPU functions can be non-preemptible; the service refuses the pair at deploy. A long GPU run
        survives a preemption when it resumes from a checkpoint.
    Example:
        before   @app.function(gpu="H100", nonpreemptible=True)
        after    @app.function(gpu="H100", retries=3)   # and resume from a checkpoint
    How to fix: Leave `nonpreemptible` out, and resume from a checkpoint after a preemption.
    Source: modal.com/docs/guide/preemption, read 2026-08-22.
    """
    gpu = call.kwargs.get("gpu")
    if gpu and isinstance(gpu, str | list | tuple):
        yield error(
            f"nonpreemptible=True with gpu={gpu!r}; only functions without a GPU can be non-preemptible",
            "leave nonpreemptible out, and resume from a checkpoint after a preemption",
            app.keyword_where(recipe, call, "nonpreemptible"),
            why="the deploy is refused after the image was built",
        )
