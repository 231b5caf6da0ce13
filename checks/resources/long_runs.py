"""What a run of hours needs."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from preflight.api import Context, Findings, Function, Recipe, advice, app, facts, rule, warning
from preflight.app.find import python_files
from preflight.guard import IMAGE_LINE
from preflight.rules.subjects import GPU_FUNCTIONS

DEFAULT_S = 300


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


GUARDS = (b"preflight.guard", b"preflight_guard")


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
