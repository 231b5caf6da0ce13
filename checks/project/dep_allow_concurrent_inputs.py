"""Concurrent inputs are asked for with modal.concurrent.

Looks at
    `allow_concurrent_inputs=` on functions, classes and `with_options`.
Why it matters
    It is refused: an error when the file is imported.
Example
    before   @app.cls(gpu="A100", allow_concurrent_inputs=10)
    after    @app.cls(gpu="A100")
             @modal.concurrent(max_inputs=10)
How to fix
    Put `@modal.concurrent(max_inputs=…)` below the decorator.
Source
    modal 1.6.4 _utils/deprecation.py handle_deprecated_parameters.
"""

import ast
import re

from preflight.api import Call, Findings, Fix, Recipe, app, error, rule
from preflight.app.syntax import Def
from preflight.rules.edits import newline_of
from preflight.rules.subjects import RESOURCE_CALLS, syntax

OLD = "allow_concurrent_inputs"


@rule("PRJ751", RESOURCE_CALLS)
def find(recipe: Recipe, call: Call) -> Findings:
    if OLD in call.kwargs:
        yield error(
            f"{OLD} is refused since 1.4.0",
            "put @modal.concurrent(max_inputs=…) below the decorator",
            app.keyword_where(recipe, call, OLD),
            why="an error when the file is imported: nothing of the app runs",
            fix=_fix(recipe, call),
        )


def _fix(recipe: Recipe, call: Call) -> Fix | None:
    node, text, path = app.keyword_node(call, OLD), recipe.source.text, recipe.source.path
    if node is None or call.node is None or call.span is None or call.where.path != path:
        return None
    holder = syntax(recipe).parent(call.node)
    if not isinstance(holder, Def | ast.ClassDef) or call.node not in holder.decorator_list:
        return None
    indent = re.compile(r"[ \t]*").match(text, text.rfind("\n", 0, call.span.start) + 1)
    if indent is None or not re.search(r"^import modal\b", text, re.M):
        return None
    added = f"{newline_of(text)}{indent[0]}@modal.concurrent(max_inputs={syntax(recipe).text(node.value)})"
    return app.together(
        [
            app.keyword_dropped(recipe.source, call, OLD, is_safe=False),
            app.replaced(path, app.Span(call.span.end, call.span.end), added, is_safe=False),
        ],
        is_safe=False,
    )
