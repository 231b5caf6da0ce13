"""The user's app as lookups, for every rule and check that asks.

``READING`` is the text alone.  ``RECIPE`` is what the checks ask for: the text, which a run may replace by the text
filled from a recording (``World.instead``).  ``BUILDER`` is the Image Builder in force: what the settings say, which a
run that may ask Modal replaces by its answer; None where nobody has told it.  ``PLANNED_FUNCTION`` is the configured
function, or the GPU function with the longest timeout.
"""

from __future__ import annotations

from preflight.app.model import Function, Known, Recipe
from preflight.lookups import Looked, Lookup


class NoApp(Exception):
    """There is no app file to read; the text says where we looked."""


async def _read(looked: Looked) -> Recipe:
    from preflight.app import reader  # tree-sitter is loaded only when there is a file to read

    settings = looked.settings
    if settings.app is None:
        raise NoApp("no Modal app was named, and none was found in the project")
    return reader.read(settings.project / settings.app, project=settings.project)


async def _recipe(looked: Looked) -> Recipe:
    return looked[READING]


async def _builder(looked: Looked) -> str | None:
    return looked.settings.builder


READING: Lookup[Recipe] = Lookup("the app's text", _read, timeout_s=30.0, is_fixed=True)
RECIPE: Lookup[Recipe] = Lookup("the app's recipe", _recipe, needs=(READING,), timeout_s=30.0, is_fixed=True)
BUILDER: Lookup[str | None] = Lookup("the Image Builder that the rules ask", _builder)


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
    return max(with_gpu, key=lambda f: float(f.timeout_s.value) if isinstance(f.timeout_s, Known) else 300.0)


async def _planned(looked: Looked) -> Function:
    return function_named(looked[RECIPE], looked.settings.budget.function)


PLANNED_FUNCTION: Lookup[Function] = Lookup("the planned function", _planned, needs=(RECIPE,), is_fixed=True)
