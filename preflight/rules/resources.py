"""The calls that ask Modal for resources, and where each word of them stands."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from preflight.app.model import Call, Function, Recipe, Span
from preflight.app.places import Offsets
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
    return Offsets.of(call.source).where(node) if node is not None and call.source is not None else call.where


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
    value, node, syntax = call.kwargs.get("gpu"), keyword_node(call, "gpu"), syntax_of(recipe.source)
    values = list(value) if isinstance(value, list | tuple) else [value]
    nodes: list[ast.expr | None] = [None] * len(values)
    if node is not None:
        written = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
        nodes = [*written] if len(written) == len(values) else nodes
    found = []
    for each, literal in zip(values, nodes, strict=True):
        if not isinstance(each, str) or not each.strip():
            continue
        kind, _, count = each.strip().partition(":")
        where, span, text = keyword_where(recipe, call, "gpu"), None, ""
        if isinstance(literal, ast.Constant) and syntax is not None and call.where.path == recipe.source.path:
            where, span, text = syntax.where(literal), syntax.span(literal), syntax.text(literal)
        found.append(GpuText(str(each), kind.strip().upper().rstrip("!+"), count.strip(), where, span, text))
    return tuple(found)
