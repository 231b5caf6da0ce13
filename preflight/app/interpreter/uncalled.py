"""Helpers that nothing at the top level calls, but that make Modal's objects: factories, `main()`, sandboxes.

They are read once, with their defaults and with other parameters unresolved.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from preflight.app import syntax
from preflight.app.interpreter.flow import TooMuch, images_of
from preflight.app.interpreter.modal_objects import BASES, RUN_BY_MODAL
from preflight.app.interpreter.values import ClassValue, ObjectValue, UserFunction, Value

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter

MAKERS = BASES | RUN_BY_MODAL | {"App", "Stub"}
SPEAKING = syntax.naming(MAKERS)
Def = ast.FunctionDef | ast.AsyncFunctionDef


def read(scope: Interpreter) -> None:
    """Runs each such helper of the module in ``scope``; its images and functions are noted as everywhere."""
    if scope.source.tree is None:
        return
    for node, holder in _defs(scope):
        if id(node) in scope.shared.inlined or not any(_makes_objects(scope, s) for s in node.body):
            continue
        held = ObjectValue(holder, {}) if holder is not None else None
        try:
            returned = scope.call_with(UserFunction(node, scope, (), held), [], {}, node)
            for image in images_of(returned):
                scope.note_image("", image)
        except (TooMuch, RecursionError):
            scope.shared.is_cut = True
            return


def _defs(scope: Interpreter) -> Iterator[tuple[Def, ClassValue | None]]:
    """The defs of the module and of its classes, under ``if`` too, but not those inside other defs."""
    assert scope.source.tree is not None
    pending: list[tuple[ast.stmt, ClassValue | None]] = [(s, None) for s in reversed(scope.source.tree.body)]
    while pending:
        node, holder = pending.pop()
        if isinstance(node, Def):
            yield node, holder
            continue
        if isinstance(node, ast.ClassDef):
            value: Value = scope.names.get(node.name)
            holder = value if isinstance(value, ClassValue) else None
        inner = [c for c in syntax.children(node) if isinstance(c, ast.stmt | ast.ExceptHandler)]
        pending += [(c, holder) for c in reversed(inner)]  # type: ignore[misc]  # a handler holds statements too


def _makes_objects(scope: Interpreter, statement: ast.stmt) -> bool:
    if not scope.offsets.may_hold(statement, SPEAKING):
        return False
    for inner in syntax.walk(statement):
        func = inner.func if isinstance(inner, ast.Call) else None
        if (func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")) in MAKERS:
            return True
        if any(getattr(d, "attr", "") in RUN_BY_MODAL for d in getattr(inner, "decorator_list", ())):
            return True
    return False
