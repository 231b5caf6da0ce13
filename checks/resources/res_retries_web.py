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
How to fix
    Leave `retries=` out of web functions and generators, and give each argument of a scheduled function a default.
Source
    modal 1.6.4 _functions.py: "Web Functions do not support retries", "Generator Functions do not support
    retries", "so it needs to support being called with no arguments".
"""

import ast

from preflight.api import Findings, Function, Recipe, app, error, rule
from preflight.app.syntax import Def
from preflight.rules.subjects import FUNCTIONS

WHY = "the client raises InvalidError when the file is imported"
ASKED = FUNCTIONS.only(
    lambda f: f.kind == "function" and ("retries" in f.call.kwargs or f.schedule is not None),
    "function with retries or a schedule",
)


@rule("RES631", ASKED)
def find(recipe: Recipe, function: Function) -> Findings:
    call, body = function.call, function.body
    if not isinstance(body, Def):
        return
    retries = call.kwargs.get("retries")
    kind = "a web function" if app.is_web(function) else "a generator" if _yields(body) else ""
    if retries is not None and not isinstance(retries, app.Unresolved) and kind:
        yield error(
            f"{function.name} is {kind} and has retries=; Modal retries neither",
            "leave retries= out",
            app.keyword_where(recipe, call, "retries"),
            why=WHY,
            fix=app.keyword_dropped(recipe.source, call, "retries", is_safe=True),
        )
    needed = _required(body)
    if function.schedule is not None and needed:
        yield error(
            f"{function.name} runs on a schedule and needs {', '.join(needed)}; a schedule gives no arguments",
            "give each argument a default",
            app.keyword_where(recipe, call, "schedule"),
            why=WHY,
        )


def _yields(body: Def) -> bool:
    """Whether it is a generator: a yield of its own, not of a function inside."""
    pending: list[ast.AST] = list(body.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Def | ast.ClassDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return False


def _required(body: Def) -> list[str]:
    spec = body.args
    positional = [*spec.posonlyargs, *spec.args]
    needed = positional[: len(positional) - len(spec.defaults)]
    keyword = [a for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is None]
    return [a.arg for a in (*needed, *keyword)]
