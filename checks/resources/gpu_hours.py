"""GPUs that are billed and not used, and what a run of hours needs."""

import ast
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from preflight.api import Call, Context, Findings, Function, Recipe, advice, app, build, facts, rule, warning
from preflight.app.find import python_files
from preflight.app.syntax import Def
from preflight.guard import IMAGE_LINE
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
LONG_S = 900
DEFAULT_S = 300
GUARDS = (b"preflight.guard", b"preflight_guard")


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


def _lasts(hours: int) -> Callable[[Function], bool]:
    """For ``GPU_FUNCTIONS.only``: those whose time limit lets them run that long."""
    return lambda f: isinstance(f.timeout_s, app.Known) and f.timeout_s.value >= hours * 3600 and not app.is_web(f)


@rule("RES651", GPU_FUNCTIONS.only(_lasts(4), "GPU function of 4 h or more"))
def cost_no_checkpoint(recipe: Recipe, function: Function) -> Findings:
    """A GPU run of hours keeps its checkpoints outside the container.

    Looks at: Functions with `gpu=` that train for up to 4 h or more (by `timeout=`) and mount neither a Volume nor a
        bucket.
    Why it matters: A GPU container can be preempted at any time and is then started again from the beginning. What it
        wrote to its own disk is lost.
    Example:
        before   @app.function(gpu="H100", timeout=86400)
        after    @app.function(gpu="H100", timeout=86400, volumes={"/ckpt": modal.Volume.from_name("ckpt")})
    How to fix: Mount a Volume, write a checkpoint to it every few minutes, and resume from the newest one at the start.
    Source: modal.com/docs/guide/preemption.
    """
    if function.volumes or function.call.has_spread or not app.training_of(function):
        return
    assert isinstance(function.timeout_s, app.Known)
    yield advice(
        f"{function.name} may train for {function.timeout_s.value / 3600:g} h and mounts no Volume and no bucket",
        "mount a Volume and write checkpoints there",
        function.call.where,
        why="after a preemption it starts again from the beginning",
    )


@rule("RES720", GPU_FUNCTIONS.only(_lasts(1), "GPU function of an hour or more"))
def cost_no_guard(recipe: Recipe, function: Function, context: Context) -> Findings:
    """A GPU run of hours is guarded from inside.

    Looks at: Functions with `gpu=` that train for an hour or more (by `timeout=`), in an app of whose project no file
        imports `preflight.guard`.
    Why it matters: The probe proves the kernels in a container of its own. In the run's container the GPU is another
        one, and a fallback, a gradient that is not finite or a pace that will not fit the hours costs all of them.
    Example:
        before   model = Net().cuda()
        after    model = guard(Net().cuda(), total_steps=100 * len(loader), hours=24)
    How to fix: Wrap the model as above (`from preflight.guard import guard`) and add
        `.add_local_python_source("preflight")` to its image. The guard stops the run in its first minutes, or only
        warns with `warn_only=True`.
    Source: preflight/guard.py: standard library and torch only; it was run on an H200 (2026-11-28).
    """
    how = app.training_of(function)
    if not how or any(g.decode() in recipe.source.text for g in GUARDS) or _is_guarded(context.project, context.now):
        return
    yield advice(
        f"{function.name} trains on a GPU ({how}) and nothing guards the run from inside",
        f"model = guard(model, total_steps=…, hours=…) from preflight.guard, and {IMAGE_LINE} on its image",
        function.call.where,
        why="a fallback or a pace that does not fit is seen in the first minutes, or after the last dollar",
    )


@lru_cache(maxsize=1)  # the files of one project at one time: every function of a run asks for them
def _is_guarded(project: Path, now: datetime) -> bool:
    for path in python_files(project):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if any(g in text for g in GUARDS) and b"modal.App(" not in text:  # another app's guard is not this one's
            return True
    return False


@rule("RES550", GPU_FUNCTIONS)
def res_default_timeout(recipe: Recipe, function: Function) -> Findings:
    """Training on a GPU has a timeout of its own.

    Looks at: Functions and classes with `gpu=` that train (by name, a trainer's `fit` or `train`, or a training script
        that they run) and have no `timeout=`. Web servers, and functions that get a timeout by `with_options`, are left
        out.
    Why it matters: The default is 300 s. Modal ends the run after five minutes, and everything since the last
        checkpoint is paid for again.
    Example:
        before   @app.function(gpu="A100-80GB")
                 def train(): ...
        after    @app.function(gpu="A100-80GB", timeout=24 * 60 * 60)
                 def train(): ...
    How to fix: Set `timeout=` to what the run needs, up to 86400 s. Resume a longer run from a checkpoint.
    Source: modal.com/docs/guide/timeouts: 300 s unless `timeout=` says otherwise.
    """
    if function.timeout_s is not None or "timeout" in function.call.kwargs or function.call.has_spread:
        return
    if app.is_web(function) or {"timeout", "**"} & app.options_given_later(recipe, function.name):
        return
    sign = app.training_of(function)
    if sign:
        yield warning(
            f"{function.name} trains on a GPU ({sign}) and has no timeout: Modal ends it after {DEFAULT_S} s",
            f"set timeout= to what the run needs, up to {facts.limit('timeout_s').most:g}",
            function.call.where,
            why=f"the run stops after {DEFAULT_S} s; the GPU is paid and nothing is learned",
        )
