"""GPUs that are billed and not used."""

import ast
import re
from collections.abc import Iterable

from preflight.api import Call, Findings, Function, Recipe, advice, app, build, rule, warning
from preflight.app.syntax import Def
from preflight.rules.subjects import GPU_FUNCTIONS, IMAGE_CALLS

MOVES = re.compile(
    r"^(?:shutil\.(?:copy|copy2|copyfile|copytree|move|unpack_archive|make_archive)"
    r"|(?:huggingface_hub\.)?(?:snapshot_download|hf_hub_download)|urllib\.request\.urlretrieve"
    r"|gdown\.download|wget\.download)$|\.(?:download_file|upload_file|download_fileobj|extractall)$"
    r"|: (?:cp|mv|rsync|aws|gsutil|wget|curl|tar|unzip|rclone|mkdir|ls|du|df)$"
)
HARMLESS = re.compile(
    r"^(?:print|len|str|int|float|sorted|list|set|dict|tuple|sum|min|max|range|enumerate|zip|open|round|any|all"
    r"|isinstance|getattr|Path|pathlib\.Path|datetime\.now|boto3\.client|boto3\.resource|tqdm"
    r"|(?:os|shutil|glob|time|json|logging|logger|log|tarfile|zipfile|sys|pathlib)\.[\w.]+)$"
    r"|\.(?:exists|mkdir|iterdir|glob|rglob|stat|is_dir|is_file|unlink|commit|reload|read|write|read_text|write_text"
    r"|append|extend|join|format|split|strip|startswith|endswith|items|keys|values|get|relative_to|resolve|paginate"
    r"|get_paginator|list_objects_v2|info|debug|warning|error|replace|close|flush|add|update|as_posix|sort)$"
)
RUNS = frozenset({"subprocess.run", "subprocess.check_call", "subprocess.call", "os.system"})


@rule("RES640", GPU_FUNCTIONS.only(lambda f: f.kind == "function" and not app.is_web(f)))
def cost_gpu_on_cpu_work(recipe: Recipe, function: Function) -> Findings:
    """No GPU waits while files are moved.

    Looks at: Functions with `gpu=` whose whole body copies, lists, downloads or uploads files: every call in it is one
        of shutil, os, pathlib, glob, zipfile, tarfile, an S3 or Hub download, a shell copy, printing, or a Volume's
        commit. One call that it does not know keeps it silent.
    Why it matters: The GPU is billed by the second from the container's start, and does nothing.
    Example:
        before   @app.function(gpu="A100-80GB", volumes={"/data": data})
                 def sync(): shutil.copytree("/mnt/s3", "/data")
        after    @app.function(volumes={"/data": data})
                 def sync(): shutil.copytree("/mnt/s3", "/data")
    How to fix: Leave `gpu=` out of the decorator; the files move as fast without it.
    Source: modal.com/pricing: a GPU is billed while the container lives.
    """
    names = (_name(call) for call in app.calls_in(*app.defs_of(function)))
    moved = _first_if_only(names, MOVES, HARMLESS)
    if moved:
        yield warning(
            f"{function.name} has a GPU and only moves files ({moved.lstrip('.')})",
            "leave gpu= out of its decorator",
            app.keyword_where(recipe, function.call, "gpu"),
            why="the GPU is billed for as long as the copy takes, and is not used",
            fix=app.keyword_dropped(recipe.source, function.call, "gpu", is_safe=True),
        )


def _name(call: ast.Call) -> str:
    """ "shutil.copy", ".read" of another expression, "subprocess.run: cp" of a shell command."""
    name = app.dotted(call.func) or (f".{call.func.attr}" if isinstance(call.func, ast.Attribute) else "")
    if name not in RUNS:
        return name
    first = next((str(s.value) for s in app.strings_in(call.args[0])), "") if call.args else ""
    return f"{name}: {first.strip().removeprefix('sudo ').split(' ')[0]}"


def _first_if_only(names: Iterable[str], wanted: re.Pattern[str], beside: re.Pattern[str]) -> str:
    """The first of the names that is wanted, when every other is one of those that may stand beside it; else ""."""
    found = ""
    for name in names:
        if wanted.search(name):
            found = found or name
        elif not beside.search(name):
            return ""
    return found


FETCHES = re.compile(r"^(?:curl|wget|git|huggingface-cli|hf|gdown|aws|gsutil|aria2c)$")
BESIDE = re.compile(r"^(?:mkdir|cd|echo|export|mv|cp|tar|unzip|ls|rm|chmod|ln|set)$")
DOWNLOADS = re.compile(
    r"(?:^|\.)(?:snapshot_download|hf_hub_download|from_pretrained|urlretrieve|download\w*|load_model)$"
)
BESIDE_CALL = re.compile(
    r"^(?:print|str|len|open|range|Path|os\.\w[\w.]*|shutil\.\w+|pathlib\.Path|time\.\w+|logging\.\w+)$"
    r"|(?:move_cache|login|mkdir|exists|write|read|format|join|info)$"
)
STEPS_WITH_GPU = IMAGE_CALLS.only(
    lambda c: c.name.endswith((".run_commands", ".run_function")) and c.kwargs.get("gpu"), "build step with a GPU"
)


@rule("RES641", STEPS_WITH_GPU)
def cost_gpu_on_download_step(recipe: Recipe, call: Call) -> Findings:
    """No build step holds a GPU to download.

    Looks at: `gpu=` on `run_commands` whose commands only fetch (curl, wget, git, huggingface-cli download, pip) and on
        `run_function` of a function of the file whose body only downloads.
    Why it matters: Builds with a GPU wait for one and are billed for it; a download does not use it.
    Example:
        before   image.run_function(download_weights, gpu="B200")
        after    image.run_function(download_weights)
    How to fix: Leave `gpu=` out of the step, or move the part that needs the GPU into a step of its own.
    Source: modal.com/docs/guide/images, "Attach GPUs during setup": for steps that need one.
    """
    method, node = call.name.rpartition(".")[2], call.node
    fetched = ""
    if method == "run_commands":
        steps = (s for i in recipe.images for s in i.steps if s.node is node and s.is_complete)
        programs = [build.program_of(c)[0] for c in next((s.shell for s in steps), ())]
        fetched = _first_if_only(filter(None, programs), FETCHES, BESIDE)
    elif isinstance(node, ast.Call) and node.args and isinstance(first := node.args[0], ast.Name):
        top = recipe.source.tree.body if recipe.source.tree is not None else []
        body = next((n for n in top if isinstance(n, Def) and n.name == first.id), None)
        if body is not None and "cuda" not in ast.unparse(body):
            fetched = _first_if_only((app.dotted(c.func) for c in app.calls_in(body)), DOWNLOADS, BESIDE_CALL)
    if fetched:
        yield warning(
            f"{method} has a GPU and only downloads ({fetched})",
            "leave gpu= out of the step",
            app.keyword_where(recipe, call, "gpu"),
            why="the build waits for a GPU and is billed for it while it downloads",
            fix=app.keyword_dropped(recipe.source, call, "gpu", is_safe=True),
        )


LONG_S = 900


@rule("RES650", GPU_FUNCTIONS)
def cost_warm_gpu(recipe: Recipe, function: Function) -> Findings:
    """No GPU stays up without work unnoticed.

    Looks at: `min_containers` above 0, and a `scaledown_window` of 15 minutes or more, on functions with `gpu=`.
    Why it matters: A warm container is billed around the clock once the app is deployed, whether anybody calls it or
        not.
    Example:
        before   @app.cls(gpu="B200", min_containers=1)
        after    @app.cls(gpu="B200", scaledown_window=300)
    How to fix: Set `min_containers=0` where a cold start is acceptable, and a `scaledown_window` of a few minutes.
    Source: modal.com/docs/guide/scale: min_containers keeps containers up when there are no requests.
    """
    call = function.call
    assert isinstance(function.gpu, tuple)
    gpu = function.gpu[0].written
    containers = app.number(call.kwargs.get("min_containers"))
    if containers is not None and containers > 0:
        yield advice(
            f"{function.name} keeps {containers:g} × {gpu} up without work once it is deployed",
            "set min_containers=0 where a cold start is acceptable",
            app.keyword_where(recipe, call, "min_containers"),
            why="billed around the clock",
        )
    window_s = app.number(call.kwargs.get("scaledown_window"))
    if window_s is not None and window_s >= LONG_S:
        yield advice(
            f"{function.name} keeps its {gpu} for {window_s:g} s after the last request",
            "a shorter scaledown_window costs less between requests",
            app.keyword_where(recipe, call, "scaledown_window"),
            why=f"each burst of requests pays up to {window_s / 60:g} minutes of {gpu} more",
        )
