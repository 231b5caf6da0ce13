"""Every call of Modal's API in a file, by its full dotted name, wherever it stands.

The interpreter reads what runs at the top level; this walk also sees the bodies of functions.  It follows the
kinds of names, not their values: ``vol = modal.Volume.from_name(…)`` makes ``vol.commit()`` a
``modal.Volume.commit``.  A name that a function binds itself hides the module's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from preflight.app import syntax
from preflight.app.interpreter.flow import TooMuch
from preflight.app.interpreter.functions import shown
from preflight.app.interpreter.modal_objects import bare, call_of
from preflight.app.interpreter.module import Interpreter
from preflight.app.interpreter.scope import Shared
from preflight.app.kinds import Kinds
from preflight.app.model import Call, Unresolved

Scoped = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
MOST_STEPS = 50_000  # of reading the arguments of calls in bodies
MOST_CALLS = 3000


def every_call(scope: Interpreter) -> tuple[Call, ...]:
    """The calls in the order of the text.  ``scope`` has the module's names after it was read."""
    tree = scope.source.tree
    if tree is None:
        return ()
    top = Kinds.of_module(scope, tree)
    outside, shared = scope.inside(), scope.shared  # what is read here adds nothing to the recipe
    outside.shared = Shared(
        shared.project, lambda importer, module, level: None, MOST_STEPS, evaluated=shared.evaluated
    )
    found: list[Call] = []
    for node, kinds, names in _nodes(tree, top, outside):
        if (call := _read(scope, node, kinds, names)) is not None:
            found.append(call)
            if len(found) > MOST_CALLS:
                scope.shared.is_cut = True
                break
    return tuple(sorted(found, key=lambda c: (c.where.line, c.where.column)))


def _nodes(tree: ast.Module, top: Kinds, outside: Interpreter) -> Iterator[tuple[ast.expr, Kinds, Interpreter]]:
    """Calls and bare decorators, with the names that are seen where they stand."""
    holds = outside.offsets.may_hold
    pending: list[tuple[ast.AST, Kinds, Interpreter]] = [(s, top, outside) for s in tree.body if holds(s, top.speaking)]
    while pending:
        node, kinds, names = pending.pop()
        if isinstance(node, ast.Call):
            yield node, kinds, names
        decorators = getattr(node, "decorator_list", ())
        for decorator in decorators:
            if isinstance(decorator, ast.Attribute | ast.Name):
                yield decorator, kinds, names
        if not isinstance(node, Scoped):
            pending += [(c, kinds, names) for c in syntax.children(node) if holds(c, kinds.speaking)]
            continue
        inner = Kinds.of_function(node, kinds)
        hidden = names.inside()
        for name in inner.own:
            hidden.names[name] = Unresolved(f"{name} is set inside a function", names.where(node))
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
        pending += [(child, inner, hidden) for child in body if holds(child, inner.speaking)]
        pending += [(child, kinds, names) for child in (*decorators, node.args)]


def _read(scope: Interpreter, node: ast.expr, kinds: Kinds, names: Interpreter) -> Call | None:
    name = kinds.of_call(node.func if isinstance(node, ast.Call) else node)
    if name is None:
        return None
    if not isinstance(node, ast.Call):
        return bare(scope, name, node)
    try:
        args, keywords = scope.shared.evaluated.get(id(node)) or names.arguments(node)
    except (TooMuch, RecursionError):
        why = Unresolved("it is beyond what this reader follows in one file", scope.offsets.method(node))
        args, keywords = [why for _ in node.args], {k.arg: why for k in node.keywords if k.arg}
    made = call_of(scope, name, node, args, keywords)
    return shown(replace(made, kwargs={k: v for k, v in made.kwargs.items() if k != "**"}))
