"""The calls that ask Modal for resources, and where each word of them stands."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from preflight.app.model import Call, Function, Recipe, Span
from preflight.app.syntax import syntax_of
from preflight.model import Where
from preflight.rules.edits import keyword_node

HANDED = ("modal.App.function", "modal.App.cls", "modal.App.server")
ALSO = ("modal.Sandbox.create", "modal.Image.run_function")


def functions_of(recipe: Recipe) -> tuple[Function, ...]:
    """Functions and classes that run on Modal: no local entrypoints."""
    return tuple(f for f in recipe.functions if f.kind != "local_entrypoint")


def resource_calls(recipe: Recipe) -> tuple[Call, ...]:
    """Each call that names timeouts, GPUs, memory …, once; decorators as they were read at their own line."""
    found = {id(f.call.node): f.call for f in functions_of(recipe)}
    for call in recipe.calls:
        if call.name in (*HANDED, *ALSO) or call.name.endswith(".with_options"):
            found.setdefault(id(call.node), call)
    return tuple(sorted(found.values(), key=lambda c: c.where))


def keyword_where(recipe: Recipe, call: Call, name: str) -> Where:
    """Of ``name=value``; of the call when the keyword comes from ``**``."""
    node = keyword_node(call, name)
    if node is None:
        return call.where
    syntax = syntax_of(recipe.source)
    if syntax is not None and call.where.path == recipe.source.path:
        return syntax.where(node)
    return replace(call.where, line=node.lineno, column=node.col_offset + 1)


def number(value: object) -> float | None:
    """The value where it is a number that the text decides; True and False are none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class GpuText:
    """One GPU as it is asked for: type in upper case without its ``!`` or ``+``, and the text after the colon."""

    written: str
    type: str
    count: str  # "" when there is no colon
    where: Where
    span: Span | None  # of the string literal
    literal: str  # as it is written, with its quotes; "" without a span


def gpu_texts(recipe: Recipe, call: Call) -> tuple[GpuText, ...]:
    """The strings of ``gpu=``, with the literal that holds each where there is one."""
    value = call.kwargs.get("gpu")
    node = keyword_node(call, "gpu")
    values = list(value) if isinstance(value, list | tuple) else [value]
    nodes: list[ast.expr | None] = [None] * len(values)
    if node is not None:
        written = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
        if len(written) == len(values):
            nodes = list(written)
    found = []
    for each, literal in zip(values, nodes, strict=True):
        if isinstance(each, str) and each.strip():
            found.append(_gpu_text(recipe, call, each, literal))
    return tuple(found)


def _gpu_text(recipe: Recipe, call: Call, text: str, node: ast.expr | None) -> GpuText:
    kind, _, count = text.strip().partition(":")
    where, span, literal = keyword_where(recipe, call, "gpu"), None, ""
    syntax = syntax_of(recipe.source)
    if isinstance(node, ast.Constant) and syntax is not None and call.where.path == recipe.source.path:
        where, span, literal = syntax.where(node), syntax.span(node), syntax.text(node)
    return GpuText(str(text), kind.strip().upper().rstrip("!+"), count.strip(), where, span, literal)
