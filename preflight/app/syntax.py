"""One file's tree, walked once for all rules: kinds of nodes, parents, what runs at import, and who guards it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeVar

from preflight.app.model import Source, Span
from preflight.app.offsets import Offsets
from preflight.model import Where

N = TypeVar("N", bound=ast.AST)
Def = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda})
LEAVES = frozenset({ast.Name, ast.Constant, ast.alias})
OPERATORS = frozenset({"ctx", "op", "ops"})


class Syntax:
    """Made by ``syntax_of``.  Nodes are in the order of the text."""

    def __init__(self, source: Source, tree: ast.Module) -> None:
        self.source = source
        self.offsets = Offsets.of(source)
        self.nodes: list[ast.AST] = []
        self._parents: dict[ast.AST, ast.AST] = {}
        self._kinds: dict[type[ast.AST], list[ast.AST]] = {}
        self._values: dict[str, list[ast.expr]] | None = None
        self._inside: set[ast.AST] = set()  # nodes that run only when a function is called
        pending: list[ast.AST] = [tree]
        while pending:  # a chain of 200 links is 200 deep: walked, not recursed
            node = pending.pop()
            kind = type(node)
            self.nodes.append(node)
            self._kinds.setdefault(kind, []).append(node)
            if kind in LEAVES:
                continue
            is_inside = node in self._inside
            for name in kind._fields:
                value = getattr(node, name, None)
                if type(value) is list:
                    below = [v for v in value if isinstance(v, ast.AST)]
                elif isinstance(value, ast.AST) and name not in OPERATORS:
                    below = [value]
                else:
                    continue
                if name in OPERATORS:
                    continue
                pending += below
                for child in below:
                    self._parents[child] = node
                if is_inside or (name == "body" and kind in FUNCTIONS):
                    self._inside.update(below)

    def every(self, *kinds: type[N]) -> Iterator[N]:
        """The nodes of exactly these classes."""
        for kind in kinds:
            yield from self._kinds.get(kind, ())  # type: ignore[misc]

    def defs(self) -> Iterator[Def]:
        yield from self.every(ast.FunctionDef)
        yield from self.every(ast.AsyncFunctionDef)

    def parent(self, node: ast.AST) -> ast.AST | None:
        return self._parents.get(node)

    def above(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """(parent, child) pairs from the node outwards."""
        child = node
        while (parent := self._parents.get(child)) is not None:
            yield parent, child
            child = parent

    def function_of(self, node: ast.AST) -> Def | ast.Lambda | None:
        """The innermost function whose body holds the node; decorators and defaults belong outside."""
        for parent, child in self.above(node):
            if isinstance(parent, Def) and child in parent.body:
                return parent
            if isinstance(parent, ast.Lambda) and child is parent.body:
                return parent
        return None

    def is_import_time(self, node: ast.AST) -> bool:
        """Whether it runs when the file is imported: at the top level, in a class body, in a decorator."""
        return node not in self._inside

    def tests_above(self, node: ast.AST) -> Iterator[tuple[ast.expr, bool]]:
        """The conditions that must hold (True) or not hold (False) for the node to run, innermost first."""
        for parent, child in self.above(node):
            if isinstance(parent, ast.If | ast.While) and child is not parent.test:
                yield parent.test, child in parent.body
            elif isinstance(parent, ast.IfExp) and child is not parent.test:
                yield parent.test, child is parent.body
            elif isinstance(parent, ast.BoolOp) and child is not parent.values[0]:
                yield parent.values[0], isinstance(parent.op, ast.And)

    def is_caught(self, node: ast.AST) -> bool:
        """Whether it stands in a ``try`` that has a handler, or in a handler."""
        for parent, child in self.above(node):
            if isinstance(parent, ast.Try | ast.TryStar) and parent.handlers and child in parent.body:
                return True
            if isinstance(parent, ast.ExceptHandler):
                return True
        return False

    def values_of(self, name: str) -> Iterator[ast.expr]:
        """What the module's top level assigns to a name."""
        if self._values is None:
            self._values = {}
            for node in self.every(ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name) and self.is_import_time(node):
                        self._values.setdefault(target.id, []).append(node.value)
            for each in self.every(ast.AnnAssign):
                if isinstance(each.target, ast.Name) and each.value is not None and self.is_import_time(each):
                    self._values.setdefault(each.target.id, []).append(each.value)
        yield from self._values.get(name, ())

    def where(self, node: ast.AST) -> Where:
        return self.offsets.where(node)

    def span(self, node: ast.AST) -> Span | None:
        return self.offsets.span(node)

    def text(self, node: ast.AST) -> str:
        span = self.offsets.span(node)
        return self.source.text[span.start : span.end] if span is not None else ""


@lru_cache(maxsize=8)
def _indexed(source: Source, tree: ast.Module) -> Syntax:
    return Syntax(source, tree)


def syntax_of(source: Source) -> Syntax | None:
    """The index of a source, made once for all rules; None when it does not parse."""
    return _indexed(source, source.tree) if source.tree is not None else None


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a name or attribute; "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def strings_in(node: ast.AST) -> Iterator[ast.Constant]:
    """Every string constant in it."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each
