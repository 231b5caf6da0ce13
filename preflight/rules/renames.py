"""Edits of a name of Modal's wherever a file uses it: the import and every use, in one go."""

from __future__ import annotations

import ast

from preflight.app.model import Recipe, Span
from preflight.app.syntax import Syntax, syntax_of
from preflight.app.uses import Use
from preflight.model import Fix
from preflight.rules.edits import replaced, together


def renamed_everywhere(recipe: Recipe, uses: list[Use], old: str, new: str, *, is_safe: bool) -> Fix | None:
    """``modal.old`` becomes ``modal.new`` at all of ``uses``; None when one of them is written in another way."""
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return None
    edits: list[Fix | None] = []
    for use in uses:
        if isinstance(use.node, ast.alias):
            if use.node.name != old:
                return None
            edits.append(_at(recipe, syntax, use.node, old, new, is_safe=is_safe))
        else:
            holder = _part(use.node, old)
            if holder is None:
                if _is_aliased(uses, use.node):
                    continue  # called otherwise here: the import alone changes
                return None
            span = syntax.span(holder)
            if span is None:
                return None
            edits.append(replaced(recipe.source.path, Span(span.end - len(old), span.end), new, is_safe=is_safe))
    return together(edits, is_safe=is_safe)


def _part(node: ast.AST, name: str) -> ast.Attribute | ast.Name | None:
    """The attribute or name in a dotted expression that is spelled ``name``."""
    while isinstance(node, ast.Attribute):
        if node.attr == name:
            return node
        node = node.value
    return node if isinstance(node, ast.Name) and node.id == name else None


def _is_aliased(uses: list[Use], node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    names = {u.node.asname for u in uses if isinstance(u.node, ast.alias)}
    return isinstance(node, ast.Name) and node.id in names


def _at(recipe: Recipe, syntax: Syntax, node: ast.alias, old: str, new: str, *, is_safe: bool) -> Fix | None:
    span = syntax.span(node)
    if span is None:
        return None
    return replaced(recipe.source.path, Span(span.start, span.start + len(old)), new, is_safe=is_safe)
