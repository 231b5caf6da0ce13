"""Statements of a module or a helper, in order: what each of them does to the names."""

from __future__ import annotations

import ast
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from preflight.app.interpreter import folding, modal_objects, objects
from preflight.app.interpreter.flow import MISSING, Missing, Raised, Returned, Skipped, either, values_of
from preflight.app.interpreter.values import (
    Alternatives,
    AppValue,
    Decorated,
    Dotted,
    ImageValue,
    SiblingModule,
    UserFunction,
    Value,
    unresolved_in,
    variable_of,
)
from preflight.app.model import Call, Unresolved

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter

MOST_TURNS = 64  # of a loop over a literal
MODULES = frozenset({"modal", *sys.stdlib_module_names})  # never looked for in the project


def run(scope: Interpreter, body: list[ast.stmt]) -> None:
    """Raises Returned, Skipped or Raised where the body ends early, TooMuch at the bound on work."""
    for statement in body:
        scope.tick()
        try:
            _read(scope, statement)
        except RecursionError:  # of a module: the names it binds are unresolved, and no others
            if not scope.is_top:
                raise
            why = Unresolved("it is nested deeper than this reader goes", scope.where(statement))
            scope.shared.unresolved.append(why)
            for target in getattr(statement, "targets", ()):
                if isinstance(target, ast.Name):
                    scope.set(target.id, why)


def _read(scope: Interpreter, node: ast.stmt) -> None:
    match node:
        case ast.Expr():
            value = scope.value(node.value)
            if isinstance(value, ImageValue) and not isinstance(node.value, ast.Name):
                scope.note_image("", value)
        case ast.Assign():
            value = scope.value(node.value)
            for target in node.targets:
                scope.bind(target, value)
        case ast.AnnAssign():
            if node.value is not None:
                scope.bind(node.target, scope.value(node.value))
        case ast.AugAssign():
            old = scope.value(node.target)
            scope.bind(node.target, folding.binary(node.op, old, scope.value(node.value), scope.where(node)))
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            decorators = _decorate(scope, node, ())
            scope.set(node.name, UserFunction(node, scope.for_functions, decorators))
        case ast.ClassDef():
            _class(scope, node)
        case ast.Import():
            _import(scope, node)
        case ast.ImportFrom():
            _import_from(scope, node)
        case ast.If():
            test = scope.value(node.test)
            if is_decided(test):
                run(scope, node.body if test else node.orelse)
            else:
                _branches(scope, [node.body, node.orelse], *usual_branch(test))
        case ast.For() | ast.AsyncFor():
            _for(scope, node)
        case ast.While():
            test = scope.value(node.test)
            if not (is_decided(test) and not test):
                _repeated(scope, node.body)
            run(scope, node.orelse)
        case ast.Try() | ast.TryStar():
            if _imports_modal(node.body):  # without modal there is nobody who would deploy
                run(scope, [*node.body, *node.orelse])
            else:
                _branches(scope, [[*node.body, *node.orelse], *(handler.body for handler in node.handlers)])
            run(scope, node.finalbody)
        case ast.Match():
            scope.value(node.subject)
            _branches(scope, [*(case.body for case in node.cases), []])
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                value = scope.value(item.context_expr)
                if item.optional_vars is not None:
                    scope.bind(item.optional_vars, value)
            run(scope, node.body)
        case ast.Return():
            raise Returned(scope.value(node.value) if node.value is not None else None)
        case ast.Raise():
            raise Raised
        case ast.Continue() | ast.Break():
            raise Skipped(ends_loop=isinstance(node, ast.Break))
        case ast.Global() | ast.Nonlocal():
            _of_others(scope, node)


def _import(scope: Interpreter, node: ast.Import) -> None:
    for alias in node.names:
        top = alias.name.split(".")[0]
        sibling = None if top in MODULES else scope.shared.load(scope, alias.name, 0)
        if alias.asname:
            scope.set(alias.asname, SiblingModule(sibling) if sibling else Dotted(alias.name))
        elif sibling is not None and "." not in alias.name:
            scope.set(top, SiblingModule(sibling))
        else:
            scope.set(top, Dotted(top))
            if sibling is not None:
                scope.modules[alias.name] = SiblingModule(sibling)


def _import_from(scope: Interpreter, node: ast.ImportFrom) -> None:
    module = node.module or ""
    is_known = node.level == 0 and module.split(".")[0] in MODULES
    sibling = None if is_known else scope.shared.load(scope, module, node.level)
    for alias in node.names:
        name = alias.asname or alias.name
        if alias.name == "*":
            if sibling is not None:
                for public, value in sibling.names.items():
                    if not public.startswith("_"):
                        scope.set(public, value)
        elif sibling is not None and alias.name in sibling.names:
            scope.set(name, sibling.names[alias.name])
        elif not is_known and (sub := scope.shared.load(scope, f"{module}.{alias.name}".strip("."), node.level)):
            scope.set(name, SiblingModule(sub))
        elif is_known or node.level == 0:
            scope.set(name, Dotted(f"{module}.{alias.name}"))
        else:
            scope.set(name, Unresolved(f"{module or '.'} is not in the project", scope.where(node)))


def is_decided(test: Value) -> bool:
    """Whether the text alone decides a condition: a default of the environment does not."""
    known = isinstance(test, bool | int | float | str | tuple | list | dict | None)
    return known and unresolved_in(test) is None and not variable_of(test)


def turns_of(value: Value) -> list[Value] | None:
    """The turns of a loop over the value; None where they are not known: an element may stand for any number."""
    if not isinstance(value, list | tuple | dict) or any(isinstance(each, Unresolved | Alternatives) for each in value):
        return None
    return list(value)


def usual_branch(test: Value) -> tuple[int, str]:
    """Which of ``then`` (0) and ``else`` (1) is taken while the variable is not set; -1 when not known."""
    truth = folding.truth(test)
    return (-1, "") if truth is None else (0 if truth.value else 1, truth.variable)


def _imports_modal(body: list[ast.stmt]) -> bool:
    names = [a.name for s in body if isinstance(s, ast.Import) for a in s.names]
    names += [s.module or "" for s in body if isinstance(s, ast.ImportFrom) and not s.level]
    return any(n.split(".")[0] == "modal" for n in names)


def _for(scope: Interpreter, node: ast.For | ast.AsyncFor) -> None:
    turns = turns_of(scope.value(node.iter))
    if turns is None or len(turns) > MOST_TURNS:
        scope.bind(node.target, Unresolved("the loop's turns are not in the text", scope.where(node)))
        _repeated(scope, node.body)
        return
    before = scope.is_repeating
    try:
        for each in turns:
            scope.bind(node.target, each)
            try:
                run(scope, node.body)
            except Skipped as skipped:
                if skipped.ends_loop:
                    return
        run(scope, node.orelse)
    finally:
        scope.is_repeating = before


def _of_others(scope: Interpreter, node: ast.Global | ast.Nonlocal) -> None:
    """Names that belong to the module, or to the scope around this one that has them."""
    for name in node.names:
        holder = scope.outer
        while holder is not None and (name not in holder.names if isinstance(node, ast.Nonlocal) else holder.outer):
            holder = holder.outer
        if holder is not None:
            scope.elsewhere[name] = holder


def _repeated(scope: Interpreter, body: list[ast.stmt]) -> None:
    """A body that runs an unknown number of times: once here, its image steps marked.

    It may not run at all: what else it binds may be what it was before.
    """
    before, scope.is_repeating = scope.is_repeating, True
    outer, scope.journal = scope.journal, {}
    try:
        with suppress(Skipped):
            run(scope, body)
    finally:
        scope.is_repeating = before
        changed = {name: (old, scope.names.get(name, MISSING)) for name, old in scope.journal.items()}
        scope.journal = outer
        for name, (old, new) in changed.items():
            scope.restore(name, old)
            if isinstance(new, Missing):
                continue
            is_certain = isinstance(old, Missing) or any(isinstance(v, ImageValue) for v in values_of(new))
            scope.set(name, new if is_certain else either([v for v in (old, new) if not isinstance(v, Missing)]))


def _class(scope: Interpreter, node: ast.ClassDef) -> None:
    inside = scope.inside(for_functions=scope)
    with suppress(Returned, Raised, Skipped):
        run(inside, node.body)
    made = objects.class_of(node, [scope.value(base) for base in node.bases], inside)
    _decorate(scope, node, made.decorators)
    scope.set(node.name, made)


def _decorate(
    scope: Interpreter, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, inner: tuple[Call, ...]
) -> tuple[Call, ...]:
    """Notes a function or class that an App's decorator hands to Modal.  ``inner`` are its methods' decorators."""
    calls: list[Call] = []
    mine: tuple[Call, AppValue] | None = None
    helpers: list[tuple[UserFunction, ast.expr]] = []
    for decorator in node.decorator_list:
        for made in modal_objects.decorator(scope, decorator):
            if isinstance(made, UserFunction):
                helpers.append((made, decorator))
            elif made[1] is not None and made[0].name.rsplit(".", 1)[-1] in modal_objects.RUN_BY_MODAL:
                mine = (made[0], made[1])
            else:
                calls.append(made[0])
    if mine is not None:
        scope.shared.decorated.append(Decorated(node, mine[0], mine[1], (*calls, *inner), scope.source))
    elif not isinstance(node, ast.ClassDef):
        for helper, decorator in reversed(helpers):
            scope.call_with(helper, [UserFunction(node, scope.for_functions, tuple(calls))], {}, decorator)
    return tuple(calls)


def _branches(scope: Interpreter, bodies: list[list[ast.stmt]], usual: int = -1, variable: str = "") -> None:
    """Each body from the same names; afterwards a name that differs has the values of all branches.

    A branch that raises has no say in what follows.  One that returns, continues or breaks leaves what follows
    to the others: a ``continue`` in one branch marks the image steps that follow in the loop as repeated.
    ``usual`` is the number of the body that runs while ``variable`` is not set, -1 when nothing is known of it.
    """
    ends: list[dict[str, Value | Missing]] = []
    returned: list[Value] = []
    usual_end = usual_return = -1
    skipped: Skipped | None = None
    outer, was_branching = scope.journal, scope.is_branching
    before: dict[str, Value | Missing] = {}
    for n, body in enumerate(bodies):
        scope.journal, scope.is_branching = {}, True
        is_end = False
        since = len(scope.returned.values)
        try:
            run(scope, body)
            is_end = True
        except Returned as e:
            usual_return = len(returned) if n == usual else usual_return
            returned.append(e.value)
        except Skipped as e:
            skipped = e
        except Raised:
            pass
        finally:
            scope.returned.confine(since, is_usual=n == usual, variable=variable)
            changed = {name: scope.names.get(name, MISSING) for name in scope.journal}
            for name, old in scope.journal.items():
                before.setdefault(name, old)
                scope.restore(name, old)
            scope.journal, scope.is_branching = outer, was_branching
        if is_end:
            usual_end = len(ends) if n == usual else usual_end
            ends.append(changed)
    for name, old in before.items():
        values = [end.get(name, old) for end in ends]
        kept = [value for value in values if not isinstance(value, Missing)]
        if kept:
            is_all = len(kept) == len(values)
            scope.set(name, either(kept, usual_end if is_all else -1, variable if is_all else ""))
    if ends and skipped is not None:
        scope.is_repeating = True
    if returned and ends:
        for n, value in enumerate(returned):
            scope.returned.add(value, is_usual=n == usual_return, variable=variable)
    elif returned:
        raise Returned(either(returned, usual_return, variable))
    elif not ends:
        raise skipped or Raised
