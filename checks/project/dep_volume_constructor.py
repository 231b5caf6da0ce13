"""Volumes, dicts and queues are made with `from_name`.

Looks at
    `.persisted()` and `.new()` of Volume, Dict, Queue and NetworkFileSystem.
Why it matters
    They are gone: an AttributeError when the file is imported.
Example
    before   modal.Volume.persisted("checkpoints")
    after    modal.Volume.from_name("checkpoints", create_if_missing=True)
Source
    modal 1.6.4 has neither.
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
    is_guarded,
    name_before_parenthesis,
    replaced,
    rule,
    syntax_of,
    together,
)

CLASSES = ("Volume", "Dict", "Queue", "NetworkFileSystem")


def applies(recipe: Recipe) -> str:
    return counted(len(recipe.calls), "call of Modal's API", "calls of Modal's API")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    for call in recipe.calls:
        kind, _, method = call.name.removeprefix("modal.").rpartition(".")
        if method not in ("persisted", "new") or kind not in CLASSES or not isinstance(call.node, ast.Call):
            continue
        if syntax is not None and not is_guarded(syntax, call.node):
            yield error(
                f"{kind}.{method} is gone from the client",
                f"write modal.{kind}.from_name(…, create_if_missing=True)"
                if method == "persisted"
                else f"write modal.{kind}.from_name, or .ephemeral() for one that goes with the run",
                call.where,
                why="an AttributeError when the file is imported",
                fix=_fix(recipe, call) if method == "persisted" else None,
            )


def _fix(recipe: Recipe, call: Call) -> Fix | None:
    if not isinstance(call.node, ast.Call) or call.span is None or len(call.node.args) != 1 or call.node.keywords:
        return None
    text = recipe.source.text
    end = call.span.end - 1
    comma = re.compile(r",\s*$").search(text, call.span.start, end)
    at = comma.start() if comma else end
    return together(
        [
            name_before_parenthesis(recipe.source, call.node, "from_name", is_safe=True),
            replaced(call.where.path, Span(at, at), ", create_if_missing=True", is_safe=True),
        ],
        is_safe=True,
    )


CHECK = rule(
    id="PRJ761",
    name="dep-volume-constructor",
    title="volumes, dicts and queues are made with from_name",
    find=find,
    applies=applies,
)
