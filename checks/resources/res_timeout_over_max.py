"""Every timeout is between 1 s and 24 h.

Looks at
    `timeout=` of functions, classes, `with_options`, `Sandbox.create` and `run_function`, as the text folds it
    (`30 * 60 * 60`, a constant above, a `**dict`).
Why it matters
    The client sends any number; the service refuses it when the app is deployed, after the image was built.
    `timeout=None` is refused by the client at import.
Example
    before   @app.function(gpu="A100-80GB", timeout=30 * 60 * 60)
    after    @app.function(gpu="A100-80GB", timeout=86400)   # and resume from a checkpoint
Source
    modal.com/docs/guide/timeouts (1 s to 24 h); modal 1.6.4 _functions.py refuses None only.
"""

from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Recipe,
    advice,
    counted,
    error,
    keyword_value,
    keyword_where,
    number,
    resource_calls,
    rule,
)

LONGEST_S = 86_400
LEAST_S = 1
SHORT_S = 10


def applies(recipe: Recipe) -> str:
    return counted(len(_timed(recipe)), "timeout")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _timed(recipe):
        where = keyword_where(recipe, call, "timeout")
        value = call.kwargs["timeout"]
        if value is None:
            if call.name in ("modal.App.function", "modal.App.cls"):
                yield error(
                    "timeout=None is refused when the file is imported",
                    f"give seconds up to {LONGEST_S}, or leave it out for 300",
                    where,
                    why="nothing of the app can run or be deployed",
                    fix=keyword_value(recipe.source, call, "timeout", str(LONGEST_S), is_safe=True),
                )
            continue
        seconds = number(value)
        if seconds is None:
            continue
        if seconds > LONGEST_S:
            yield error(
                f"timeout is {seconds:.15g} s ({seconds / 3600:g} h); Modal's limit is {LONGEST_S} s (24 h)",
                f"set timeout={LONGEST_S}, and resume a longer run from a checkpoint",
                where,
                why="the client does not check it: the deploy is refused after the image was built",
                fix=keyword_value(recipe.source, call, "timeout", str(LONGEST_S), is_safe=True),
            )
        elif seconds < LEAST_S:
            yield error(
                f"timeout is {seconds:g} s; the least is {LEAST_S} s",
                f"give seconds from {LEAST_S} to {LONGEST_S}",
                where,
                why="the deploy is refused after the image was built",
            )
        elif seconds < SHORT_S:
            yield advice(
                f"timeout is {seconds:g} s: the function is ended after that long",
                "the unit is seconds; multiply by 60 if minutes were meant",
                where,
            )


def _timed(recipe: Recipe) -> list[Call]:
    return [c for c in resource_calls(recipe) if "timeout" in c.kwargs]


CHECK = rule(
    id="RES540",
    name="res-timeout-over-max",
    title="every timeout is between 1 s and 24 h",
    find=find,
    applies=applies,
)
