"""GPUs that stay up without work are known.

Looks at
    `min_containers` above 0, and a `scaledown_window` of 15 minutes or more, on functions with `gpu=`.
Why it matters
    A warm container is billed around the clock once the app is deployed, asked or not.
Example
    before   @app.cls(gpu="B200", min_containers=1)
    after    @app.cls(gpu="B200", scaledown_window=300)
Source
    modal.com/docs/guide/scale: min_containers keeps containers up when there are no requests.
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Function,
    Recipe,
    advice,
    counted,
    functions_of,
    keyword_where,
    number,
    rule,
)

LONG_S = 900


def applies(recipe: Recipe) -> str:
    return counted(len(_on_gpu(recipe)), "GPU function")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for function in _on_gpu(recipe):
        call = function.call
        assert isinstance(function.gpu, tuple)
        gpu = function.gpu[0].written
        kept = number(call.kwargs.get("min_containers"))
        if kept is not None and kept > 0:
            yield advice(
                f"{function.name} keeps {kept:g} × {gpu} up without work once it is deployed",
                "set min_containers=0 where a cold start can be waited for",
                keyword_where(recipe, call, "min_containers"),
                why="billed around the clock",
            )
        window = number(call.kwargs.get("scaledown_window"))
        if window is not None and window >= LONG_S:
            yield advice(
                f"{function.name} keeps its {gpu} for {window:g} s after the last request",
                "a shorter scaledown_window costs less between requests",
                keyword_where(recipe, call, "scaledown_window"),
                why=f"each burst of requests pays up to {window / 60:g} minutes of {gpu} more",
            )


def _on_gpu(recipe: Recipe) -> list[Function]:
    return [f for f in functions_of(recipe) if isinstance(f.gpu, tuple) and f.gpu]


CHECK = rule(
    id="RES650",
    name="cost-warm-gpu",
    title="no GPU stays up without work unnoticed",
    find=find,
    applies=applies,
)
