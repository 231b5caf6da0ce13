"""Uses of names of the ``modal`` package in a file: imports and dotted names, by whatever they are called there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from preflight.app.model import Call, Recipe, Source
from preflight.app.syntax import Syntax, syntax_of

NAMES_PRESENCE = ("hasattr", "find_spec", "version", "VERSION", "TYPE_CHECKING")


@dataclass(frozen=True, eq=False)
class Use:
    """``name`` is the longest dotted name used: "modal.gpu.A100".  ``is_guarded``: the code asks first or catches."""

    name: str
    node: ast.AST
    is_import: bool
    is_guarded: bool


def uses_of_modal(recipe: Recipe) -> tuple[Use, ...]:
    return recipe.source.kept(_uses, lambda: _uses(recipe.source))


def _uses(source: Source) -> tuple[Use, ...]:
    syntax = syntax_of(source)
    if syntax is None or "modal" not in source.text:
        return ()
    found = [*_imports(syntax), *_dotted(syntax, _names(syntax).of_modal)]
    return tuple(sorted(found, key=lambda u: (u.node.lineno, u.node.col_offset)))  # type: ignore[attr-defined]


def _imports(syntax: Syntax) -> Iterator[Use]:
    for node, alias, _, name in syntax.aliases:
        full = alias.name if isinstance(node, ast.Import) else name
        if full.startswith("modal.") and alias.name != "*":
            yield Use(full, alias, True, is_guarded(syntax, node))


def _dotted(syntax: Syntax, names: dict[str, str]) -> Iterator[Use]:
    for node in syntax.every(ast.Name):
        if not isinstance(node.ctx, ast.Load) or node.id not in names:
            continue
        parts, outer = [names[node.id]], node
        while isinstance(parent := syntax.parent(outer), ast.Attribute):
            parts.append(parent.attr)
            outer = parent  # type: ignore[assignment]
        yield Use(".".join(parts), outer, False, is_guarded(syntax, node))


def attributes_of_objects(recipe: Recipe) -> tuple[Use, ...]:
    """Attributes that are read of names which can only be one of Modal's objects: ``app.image`` → "modal.App.image"."""
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return ()
    made = {id(call.node): _class_made(call.name) for call in recipe.calls if not call.is_bare}
    bound, found = _names(syntax).bound, []
    set_ones = {(syntax.text(a.value), a.attr) for a in syntax.every(ast.Attribute) if not isinstance(a.ctx, ast.Load)}
    for node in syntax.every(ast.Attribute):
        if not isinstance(node.value, ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        values = bound.get(node.value.id, [])
        kind = made.get(id(values[0][1]), "") if len(values) == 1 and values[0][0] is None else ""
        if kind and (node.value.id, node.attr) not in set_ones:
            found.append(Use(f"modal.{kind}.{node.attr}", node, False, is_guarded(syntax, node)))
    return tuple(found)


def _class_made(name: str) -> str:
    """The class of what the call gives, where that is certain: a constructor, or ``from_name``."""
    parts = name.split(".")[1:]
    if len(parts) == 1 and parts[0][:1].isupper():
        return parts[0]
    return parts[0] if len(parts) == 2 and parts[1] == "from_name" and parts[0] not in ("Function", "Cls") else ""


def is_guarded(syntax: Syntax, node: ast.AST) -> bool:
    """Whether the code looks before it uses the name: ``hasattr``, a version test, or a ``try`` that catches."""
    return syntax.is_caught(node) or syntax.is_tested(node, NAMES_PRESENCE)


def is_certain(recipe: Recipe, call: Call) -> bool:
    """Whether the receiver can only be Modal's object where it stands: ``app`` may be a FastAPI inside a function."""
    syntax = syntax_of(recipe.source)
    if syntax is None or call.where.path != recipe.source.path or call.node is None:
        return False
    return _comes_from_modal(syntax, _names(syntax), call.node, 0)


@dataclass(frozen=True, eq=False)
class _Names:
    """Who gives each name its value: (the function that holds the binding, the value; None when it has none)."""

    bound: dict[str, list[tuple[ast.AST | None, ast.expr | None]]]
    of_modal: dict[str, str]  # imported from modal, and bound by nothing else: it would mean either


def _names(syntax: Syntax) -> _Names:
    return syntax.source.kept(_Names, lambda: _names_of(syntax))


def _names_of(syntax: Syntax) -> _Names:
    bound: dict[str, list[tuple[ast.AST | None, ast.expr | None]]] = {}
    for name in syntax.every(ast.Name):
        if isinstance(name.ctx, ast.Store):
            bound.setdefault(name.id, []).append((syntax.function_of(name), _value_for(syntax, name)))
    for function in syntax.defs():
        bound.setdefault(function.name, []).append((syntax.function_of(function), None))
        spec = function.args
        for arg in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg):
            if arg is not None:
                bound.setdefault(arg.arg, []).append((function, None))
    of_modal: dict[str, str] = {}
    for _, _, local, imported in syntax.aliases:
        if imported.split(".")[0] == "modal":
            of_modal[local] = imported
        else:
            bound.setdefault(local, []).append((None, None))
    return _Names(bound, {local: imported for local, imported in of_modal.items() if local not in bound})


def _value_for(syntax: Syntax, name: ast.Name) -> ast.expr | None:
    """The expression whose value the name gets; None for loops, unpacking and the like."""
    parent = syntax.parent(name)
    if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        return parent.value
    return parent.context_expr if isinstance(parent, ast.withitem) else None


def _comes_from_modal(syntax: Syntax, names: _Names, node: ast.AST, depth: int) -> bool:
    node = _root(node)
    if isinstance(node, ast.IfExp):
        return all(_comes_from_modal(syntax, names, n, depth + 1) for n in (node.body, node.orelse))
    if not isinstance(node, ast.Name) or depth > 8:
        return False
    if node.id in names.of_modal:
        return True
    scope: ast.AST | None = syntax.function_of(node)
    every = names.bound.get(node.id, [])
    while not (here := [value for holder, value in every if holder is scope]) and scope is not None:
        scope = syntax.function_of(scope)  # outwards to the function that binds the name
    values = [v for v in here if v is None or not (isinstance(root := _root(v), ast.Name) and root.id == node.id)]
    return bool(values) and all(v is not None and _comes_from_modal(syntax, names, v, depth + 1) for v in values)


def _root(node: ast.AST) -> ast.AST:
    """What a chain of attributes and calls begins with."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Await):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node
