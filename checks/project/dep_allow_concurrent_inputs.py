"""Concurrent inputs are asked for with `@modal.concurrent`.

Looks at
    `allow_concurrent_inputs=` on functions, classes and `with_options`.
Why it matters
    It is refused: an error when the file is imported.
Example
    before   @app.cls(gpu="A100", allow_concurrent_inputs=10)
    after    @app.cls(gpu="A100")
             @modal.concurrent(max_inputs=10)
Source
    modal 1.6.4 _utils/deprecation.py handle_deprecated_parameters.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Fix,
    Recipe,
    Span,
    counted,
    error,
    keyword_dropped,
    keyword_node,
    keyword_where,
    replaced,
    resource_calls,
    rule,
    syntax_of,
    together,
)

OLD = "allow_concurrent_inputs"


def applies(recipe: Recipe) -> str:
    return counted(len(resource_calls(recipe)), "call that may scale", "calls that may scale")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in resource_calls(recipe):
        if OLD in call.kwargs:
            yield error(
                f"{OLD} is refused since 1.4.0",
                "put @modal.concurrent(max_inputs=…) below the decorator",
                keyword_where(recipe, call, OLD),
                why="an error when the file is imported: nothing of the app runs",
                fix=_fix(recipe, call),
            )


def _fix(recipe: Recipe, call: Call) -> Fix | None:
    syntax, node = syntax_of(recipe.source), keyword_node(call, OLD)
    if syntax is None or node is None or call.span is None or call.where.path != recipe.source.path:
        return None
    holder = syntax.parent(call.node) if call.node is not None else None
    if not isinstance(holder, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return None
    if call.node not in holder.decorator_list or not re.search(r"^import modal\b", recipe.source.text, re.M):
        return None
    text = recipe.source.text
    start = text.rfind("\n", 0, call.span.start) + 1
    indent = re.match(r"[ \t]*", text[start:])
    newline = "\r\n" if "\r\n" in text else "\n"
    added = f"{newline}{indent[0] if indent else ''}@modal.concurrent(max_inputs={syntax.text(node.value)})"
    return together(
        [
            keyword_dropped(recipe.source, call, OLD, is_safe=False),
            replaced(recipe.source.path, Span(call.span.end, call.span.end), added, is_safe=False),
        ],
        is_safe=False,
    )


CHECK = rule(
    id="PRJ751",
    name="dep-allow-concurrent-inputs",
    title="concurrent inputs are asked for with modal.concurrent",
    find=find,
    applies=applies,
)
