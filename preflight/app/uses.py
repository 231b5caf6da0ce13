"""Uses of names of the ``modal`` package in a file: imports and dotted names, by whatever they are called there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from preflight.app.model import Call, Recipe, Source
from preflight.app.syntax import Syntax, syntax_of

NAMES_PRESENCE = ("hasattr", "find_spec", "version", "VERSION")


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
    names = dict(_imported(syntax))
    for stored in syntax.every(ast.Name):
        if isinstance(stored.ctx, ast.Store) and stored.id in names:
            del names[stored.id]  # bound to something else somewhere: it may mean either
    for arg in syntax.every(ast.arg):
        names.pop(arg.arg, None)
    for other in _bound_by_others(syntax):
        names.pop(other, None)
    found = [*_imports(syntax), *_dotted(syntax, names)]
    return tuple(sorted(found, key=lambda u: (u.node.lineno, u.node.col_offset)))  # type: ignore[attr-defined]


def _imported(syntax: Syntax) -> Iterator[tuple[str, str]]:
    for node in syntax.every(ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] == "modal":
                yield (alias.asname, alias.name) if alias.asname else ("modal", "modal")
    for each in syntax.every(ast.ImportFrom):
        if each.level == 0 and each.module is not None and each.module.split(".")[0] == "modal":
            for alias in each.names:
                yield alias.asname or alias.name, f"{each.module}.{alias.name}"


def _bound_by_others(syntax: Syntax) -> Iterator[str]:
    """Names that an import of something else binds too: ``from PIL import Image`` in a function."""
    for node in syntax.every(ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] != "modal":
                yield alias.asname or alias.name.split(".")[0]
    for each in syntax.every(ast.ImportFrom):
        if (each.module or "").split(".")[0] != "modal":
            yield from (alias.asname or alias.name for alias in each.names)


def _imports(syntax: Syntax) -> Iterator[Use]:
    for node in syntax.every(ast.Import):
        for alias in node.names:
            if alias.name.startswith("modal."):
                yield Use(alias.name, alias, True, is_guarded(syntax, node))
    for each in syntax.every(ast.ImportFrom):
        if each.level == 0 and each.module is not None and each.module.split(".")[0] == "modal":
            for alias in each.names:
                if alias.name != "*":
                    yield Use(f"{each.module}.{alias.name}", alias, True, is_guarded(syntax, each))


def _dotted(syntax: Syntax, names: dict[str, str]) -> Iterator[Use]:
    for node in syntax.every(ast.Name):
        if not isinstance(node.ctx, ast.Load) or node.id not in names:
            continue
        parts, top = [names[node.id]], node
        outer: ast.AST = top
        while isinstance(parent := syntax.parent(outer), ast.Attribute):
            parts.append(parent.attr)
            outer = parent
        yield Use(".".join(parts), outer, False, is_guarded(syntax, node))


def attributes_of_objects(recipe: Recipe) -> tuple[Use, ...]:
    """Attributes that are read of names which can only be one of Modal's objects: ``app.image`` → "modal.App.image"."""
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return ()
    made = {id(call.node): _class_made(call.name) for call in recipe.calls if not call.is_bare}
    bindings, found = _bindings(syntax), []
    set_ones = {(syntax.text(a.value), a.attr) for a in syntax.every(ast.Attribute) if not isinstance(a.ctx, ast.Load)}
    for node in syntax.every(ast.Attribute):
        if not isinstance(node.value, ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        values = bindings.of.get(node.value.id, [])
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
    if syntax.is_caught(node):
        return True
    for test, _ in syntax.tests_above(node):
        text = syntax.text(test)
        if any(word in text for word in NAMES_PRESENCE) or "TYPE_CHECKING" in text:
            return True
    return False


def is_certain(recipe: Recipe, call: Call) -> bool:
    """Whether the receiver can only be Modal's object where it stands: ``app`` may be a FastAPI inside a function."""
    syntax = syntax_of(recipe.source)
    if syntax is None or call.where.path != recipe.source.path or call.node is None:
        return False
    func = call.node.func if isinstance(call.node, ast.Call) else call.node
    return _comes_from_modal(syntax, _bindings(syntax), func, 0)


@dataclass(frozen=True, eq=False)
class _Bindings:
    """Who gives each name its value: (the function that holds the binding, the value; None when it has none)."""

    of: dict[str, list[tuple[ast.AST | None, ast.expr | None]]]
    imported: frozenset[str]  # from modal


def _bindings(syntax: Syntax) -> _Bindings:
    return syntax.source.kept(_Bindings, lambda: _bound(syntax))


def _bound(syntax: Syntax) -> _Bindings:
    imported = frozenset(dict(_imported(syntax)))
    found: dict[str, list[tuple[ast.AST | None, ast.expr | None]]] = {}
    for name in syntax.every(ast.Name):
        if isinstance(name.ctx, ast.Store):
            found.setdefault(name.id, []).append((syntax.function_of(name), _value_for(syntax, name)))
    for function in syntax.defs():
        found.setdefault(function.name, []).append((syntax.function_of(function), None))
        spec = function.args
        for arg in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg):
            if arg is not None:
                found.setdefault(arg.arg, []).append((function, None))
    for other in _bound_by_others(syntax):
        found.setdefault(other, []).append((None, None))
    return _Bindings(found, imported)


def _value_for(syntax: Syntax, name: ast.Name) -> ast.expr | None:
    """The expression whose value the name gets; None for loops, unpacking and the like."""
    parent = syntax.parent(name)
    if isinstance(parent, ast.Assign | ast.AnnAssign | ast.NamedExpr):
        return parent.value
    if isinstance(parent, ast.withitem):
        return parent.context_expr
    return None


def _comes_from_modal(syntax: Syntax, bindings: _Bindings, node: ast.AST, depth: int) -> bool:
    while isinstance(node, ast.Attribute | ast.Call | ast.Await):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.IfExp):
        return all(_comes_from_modal(syntax, bindings, n, depth + 1) for n in (node.body, node.orelse))
    if not isinstance(node, ast.Name) or depth > 8:
        return False
    if node.id in bindings.imported and node.id not in bindings.of:
        return True
    scope: ast.AST | None = syntax.function_of(node)
    every = bindings.of.get(node.id, [])
    while True:  # outwards to the function that binds the name
        here = [value for holder, value in every if holder is scope]
        if here or scope is None:
            break
        scope = syntax.function_of(scope)
    values = [v for v in here if not (v is not None and _root(v) == node.id)]
    return bool(values) and all(v is not None and _comes_from_modal(syntax, bindings, v, depth + 1) for v in values)


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Call | ast.Await):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
