"""Training on a GPU has a timeout of its own.

Looks at
    Functions and classes with `gpu=` that train (by name, a trainer's `fit` or `train`, or a training script that
    they run) and have no `timeout=`.  Web servers, and functions that get a timeout by `with_options`, are left out.
Why it matters
    The default is 300 s. Modal ends the run after five minutes, and everything since the last checkpoint is paid
    for again.
Example
    before   @app.function(gpu="A100-80GB")
             def train(): ...
    after    @app.function(gpu="A100-80GB", timeout=24 * 60 * 60)
             def train(): ...
How to fix
    Set `timeout=` to what the run needs, up to 86400 s. Resume a longer run from a checkpoint.
Source
    modal.com/docs/guide/timeouts: 300 s unless `timeout=` says otherwise.
"""

from preflight.api import Findings, Function, Recipe, app, facts, rule, warning
from preflight.rules.subjects import GPU_FUNCTIONS

DEFAULT_S = 300


@rule("RES550", GPU_FUNCTIONS)
def find(recipe: Recipe, function: Function) -> Findings:
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
