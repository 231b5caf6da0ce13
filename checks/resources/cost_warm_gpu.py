"""No GPU stays up without work unnoticed.

Looks at
    `min_containers` above 0, and a `scaledown_window` of 15 minutes or more, on functions with `gpu=`.
Why it matters
    A warm container is billed around the clock once the app is deployed, whether anybody calls it or not.
Example
    before   @app.cls(gpu="B200", min_containers=1)
    after    @app.cls(gpu="B200", scaledown_window=300)
How to fix
    Set `min_containers=0` where a cold start is acceptable, and a `scaledown_window` of a few minutes.
Source
    modal.com/docs/guide/scale: min_containers keeps containers up when there are no requests.
"""

from preflight.api import Findings, Function, Recipe, advice, app, rule
from preflight.rules.subjects import GPU_FUNCTIONS

LONG_S = 900


@rule("RES650", GPU_FUNCTIONS)
def find(recipe: Recipe, function: Function) -> Findings:
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
