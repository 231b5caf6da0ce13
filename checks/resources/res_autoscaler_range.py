"""The autoscaler's numbers are within what the client accepts.

Looks at
    `scaledown_window` (2 to 3600 s) and `min_containers` against `max_containers`.
Why it matters
    Both are refused when the file is imported: nothing of the app runs.
Example
    before   @app.function(scaledown_window=7200)
    after    @app.function(scaledown_window=3600)
How to fix
    Write a window within the limits, and a `max_containers` that is not below `min_containers`.
Source
    modal 1.6.4 _functions.py: InvalidError for both.
"""

from preflight.api import Call, Findings, Recipe, app, error, facts, rule
from preflight.rules.subjects import RESOURCE_CALLS, with_keyword

KEYWORDS = ("scaledown_window", "min_containers", "max_containers")
WHY = "the client raises InvalidError when the file is imported"


@rule(
    "RES610",
    RESOURCE_CALLS.only(
        lambda c: c.name != "modal.Sandbox.create" and with_keyword(*KEYWORDS)(c), "autoscaler setting"
    ),
)
def find(recipe: Recipe, call: Call) -> Findings:
    allowed = facts.limit("scaledown_window_s")
    window_s = app.number(call.kwargs.get("scaledown_window"))
    if window_s is not None and not allowed.least <= window_s <= allowed.most:
        wanted = f"{allowed.least if window_s < allowed.least else allowed.most:g}"
        yield error(
            f"scaledown_window is {window_s:g} s; it must be {allowed.least:g} to {allowed.most:g} s",
            f"write scaledown_window={wanted}",
            app.keyword_where(recipe, call, "scaledown_window"),
            why=WHY,
            fix=app.keyword_value(recipe.source, call, "scaledown_window", wanted, is_safe=False),
        )
    least, most = app.number(call.kwargs.get("min_containers")), app.number(call.kwargs.get("max_containers"))
    if least is not None and most is not None and most < least:
        yield error(
            f"min_containers ({least:g}) is above max_containers ({most:g})",
            f"raise max_containers to {least:g}, or lower min_containers",
            app.keyword_where(recipe, call, "min_containers"),
            why=WHY,
        )
