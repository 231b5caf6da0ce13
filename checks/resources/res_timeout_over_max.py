"""Every timeout is between 1 s and 24 h.

Looks at
    `timeout=` of functions, classes, `with_options`, `Sandbox.create` and `run_function`, as the text gives it (`30
    * 60 * 60`, a constant above, a `**dict`).
Why it matters
    The client sends any number; the service refuses it when the app is deployed, after the image was built.
    `timeout=None` is refused by the client at import.
Example
    before   @app.function(gpu="A100-80GB", timeout=30 * 60 * 60)
    after    @app.function(gpu="A100-80GB", timeout=86400)   # and resume from a checkpoint
How to fix
    Give seconds within the limit. Resume a longer run from a checkpoint.
Source
    modal.com/docs/guide/timeouts (1 s to 24 h); modal 1.6.4 _functions.py refuses None only.
"""

from preflight.api import Call, Findings, Recipe, advice, app, error, facts, rule
from preflight.rules.subjects import RESOURCE_CALLS, with_keyword

SHORT_S = 10
REFUSED = "the deploy is refused after the image was built"


@rule("RES540", RESOURCE_CALLS.only(with_keyword("timeout"), "timeout"))
def find(recipe: Recipe, call: Call) -> Findings:
    value, where = call.kwargs["timeout"], app.keyword_where(recipe, call, "timeout")
    least, most = (f"{s:g}" for s in (facts.limit("timeout_s").least, facts.limit("timeout_s").most))
    at_most = app.keyword_value(recipe.source, call, "timeout", most, is_safe=True)
    seconds = app.number(value)
    if value is None and call.name in ("modal.App.function", "modal.App.cls"):
        yield error(
            "timeout=None is refused when the file is imported",
            f"give seconds up to {most}, or leave it out for 300",
            where,
            why="nothing of the app can run or be deployed",
            fix=at_most,
        )
    elif seconds is None:
        return
    elif seconds > facts.limit("timeout_s").most:
        yield error(
            f"timeout is {seconds:.15g} s ({seconds / 3600:g} h); Modal's limit is {most} s (24 h)",
            f"set timeout={most}, and resume a longer run from a checkpoint",
            where,
            why=f"the client does not check it: {REFUSED}",
            fix=at_most,
        )
    elif seconds < facts.limit("timeout_s").least:
        yield error(
            f"timeout is {seconds:g} s; the least is {least} s",
            f"give seconds from {least} to {most}",
            where,
            why=REFUSED,
        )
    elif seconds < SHORT_S:
        yield advice(
            f"timeout is {seconds:g} s: the function is ended after that long",
            "the unit is seconds; multiply by 60 if minutes were meant",
            where,
        )
