"""The autoscaler's numbers are ones the client takes.

Looks at
    `scaledown_window` (2 to 3600 s) and `min_containers` against `max_containers`.
Why it matters
    Both are refused when the file is imported: nothing of the app runs.
Example
    before   @app.function(scaledown_window=7200)
    after    @app.function(scaledown_window=3600)
Source
    modal 1.6.4 _functions.py: InvalidError for both.
"""

from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Recipe,
    counted,
    error,
    keyword_value,
    keyword_where,
    number,
    resource_calls,
    rule,
)

SHORTEST_S, LONGEST_S = 2, 3600
KEYWORDS = {"scaledown_window", "min_containers", "max_containers"}


def applies(recipe: Recipe) -> str:
    return counted(len(_scaled(recipe)), "autoscaler setting")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _scaled(recipe):
        window = number(call.kwargs.get("scaledown_window"))
        if window is not None and not SHORTEST_S <= window <= LONGEST_S:
            wanted = SHORTEST_S if window < SHORTEST_S else LONGEST_S
            yield error(
                f"scaledown_window is {window:g} s; it must be {SHORTEST_S} to {LONGEST_S} s",
                f"write scaledown_window={wanted}",
                keyword_where(recipe, call, "scaledown_window"),
                why="the client raises InvalidError when the file is imported",
                fix=keyword_value(recipe.source, call, "scaledown_window", str(wanted), is_safe=False),
            )
        least, most = number(call.kwargs.get("min_containers")), number(call.kwargs.get("max_containers"))
        if least is not None and most is not None and most < least:
            yield error(
                f"min_containers ({least:g}) is above max_containers ({most:g})",
                f"raise max_containers to {least:g}, or lower min_containers",
                keyword_where(recipe, call, "min_containers"),
                why="the client raises InvalidError when the file is imported",
            )


def _scaled(recipe: Recipe) -> list[Call]:
    return [c for c in resource_calls(recipe) if c.name != "modal.Sandbox.create" and KEYWORDS & set(c.kwargs)]


CHECK = rule(
    id="RES610",
    name="res-autoscaler-range",
    title="the autoscaler's numbers are ones the client takes",
    find=find,
    applies=applies,
)
