"""Which function of the app the planned run is: the configured one, or the GPU function with the longest timeout."""

from __future__ import annotations

from preflight.app.lookups import RECIPE
from preflight.app.model import Function, Known, Recipe
from preflight.lookups import Looked, Lookup


class NoFunction(ValueError):
    """The app has no function that could be meant; the text names those there are."""


def function_named(recipe: Recipe, name: str | None) -> Function:
    """The function of that name; without one, the GPU function with the longest timeout.  Raises NoFunction."""
    if recipe.broken:
        raise NoFunction(f"{recipe.broken_at or recipe.source.path} does not parse: {recipe.broken}")
    functions = [f for f in recipe.functions if f.kind != "local_entrypoint"]
    if name is not None:
        for function in functions:
            if name in (function.name, function.name.split(".")[0]) or name.split(".")[0] == function.name:
                return function
        there = ", ".join(f.name for f in functions) or "none"
        raise NoFunction(f"{recipe.source.path} has no function {name}; it has {there}")
    with_gpu = [f for f in functions if f.gpu]
    if not with_gpu:
        raise NoFunction(
            f"{recipe.source.path} has no function with a GPU; name one in [tool.preflight.budget] function"
        )
    return max(with_gpu, key=_timeout_s)


def _timeout_s(function: Function) -> float:
    return float(function.timeout_s.value) if isinstance(function.timeout_s, Known) else 300.0


async def _planned(looked: Looked) -> Function:
    return function_named(looked[RECIPE], looked.settings.budget.function)


PLANNED_FUNCTION: Lookup[Function] = Lookup("the planned function", _planned, needs=(RECIPE,), is_fixed=True)
