"""Retries and schedules stand only on functions that can have them.

Looks at
    `retries=` on web functions and generators, and `schedule=` on functions with arguments that have no default.
Why it matters
    The client refuses each of them when the file is imported: nothing of the app runs.
Example
    before   @app.function(retries=3)
             @modal.fastapi_endpoint()
             def predict(): ...
    after    @app.function()
             @modal.fastapi_endpoint()
             def predict(): ...
Source
    modal 1.6.4 _functions.py: "Web Functions do not support retries", "Generator Functions do not support
    retries", "so it needs to support being called with no arguments".
"""

import ast
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Function,
    Recipe,
    Unresolved,
    counted,
    error,
    functions_of,
    is_web,
    keyword_dropped,
    keyword_where,
    rule,
)


def applies(recipe: Recipe) -> str:
    return counted(len(_asked(recipe)), "function with retries or a schedule", "functions with retries or a schedule")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for function in _asked(recipe):
        call, body = function.call, function.body
        if not isinstance(body, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        retries = call.kwargs.get("retries")
        if retries is not None and not isinstance(retries, Unresolved):
            what = "a web function" if is_web(function) else "a generator" if _yields(body) else ""
            if what:
                yield error(
                    f"{function.name} is {what} and has retries=; Modal retries neither",
                    "leave retries= out",
                    keyword_where(recipe, call, "retries"),
                    why="the client raises InvalidError when the file is imported",
                    fix=keyword_dropped(recipe.source, call, "retries", is_safe=True),
                )
        needed = _required(body)
        if function.schedule is not None and needed:
            yield error(
                f"{function.name} runs on a schedule and needs {', '.join(needed)}; a schedule gives no arguments",
                "give each argument a default",
                keyword_where(recipe, call, "schedule"),
                why="the client raises InvalidError when the file is imported",
            )


def _asked(recipe: Recipe) -> list[Function]:
    return [
        f
        for f in functions_of(recipe)
        if f.kind == "function" and ("retries" in f.call.kwargs or f.schedule is not None)
    ]


def _yields(body: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is a generator: a yield of its own, not of a function inside."""
    pending: list[ast.AST] = list(body.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return False


def _required(body: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    spec = body.args
    positional = [*spec.posonlyargs, *spec.args]
    needed = positional[: len(positional) - len(spec.defaults)]
    keyword = [a for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is None]
    return [a.arg for a in (*needed, *keyword)]


CHECK = rule(
    id="RES631",
    name="res-retries-web",
    title="retries and schedules stand only on functions that can have them",
    find=find,
    applies=applies,
)
