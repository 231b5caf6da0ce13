"""Training on a GPU says how long it may run.

Looks at
    Functions and classes with `gpu=` that train (by name, a trainer's `fit` or `train`, or a training script that
    they run) and have no `timeout=`.  Web servers, and functions that get a timeout by `with_options`, are left out.
Why it matters
    The default is 300 s: the run is ended five minutes in, and everything since the last checkpoint is paid for
    again.
Example
    before   @app.function(gpu="A100-80GB")
             def train(): ...
    after    @app.function(gpu="A100-80GB", timeout=24 * 60 * 60)
             def train(): ...
Source
    modal.com/docs/guide/timeouts: 300 s unless `timeout=` says otherwise.
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Function,
    Recipe,
    counted,
    functions_of,
    is_web,
    options_given_later,
    rule,
    training_of,
    warning,
)

DEFAULT_S = 300


def applies(recipe: Recipe) -> str:
    return counted(len(_on_gpu(recipe)), "GPU function")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for function in _on_gpu(recipe):
        if function.timeout_s is not None or "timeout" in function.call.kwargs or function.call.has_spread:
            continue
        if is_web(function) or {"timeout", "**"} & options_given_later(recipe, function.name):
            continue
        sign = training_of(function)
        if sign:
            yield warning(
                f"{function.name} trains on a GPU ({sign}) and has no timeout: Modal ends it after {DEFAULT_S} s",
                "set timeout= to what the run needs, up to 86400",
                function.call.where,
                why=f"the run stops {DEFAULT_S} s in, with the GPU paid and nothing learned",
            )


def _on_gpu(recipe: Recipe) -> list[Function]:
    return [f for f in functions_of(recipe) if isinstance(f.gpu, tuple) and f.gpu]


CHECK = rule(
    id="RES550",
    name="res-default-timeout",
    title="training on a GPU has a timeout of its own",
    find=find,
    applies=applies,
)
