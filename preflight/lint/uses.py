"""Uses of names of the ``modal`` package in a file: imports and dotted names, by whatever they are called there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from preflight.lint.syntax import Syntax, syntax_of
from preflight.recipe.model import Recipe, Source

NAMES_PRESENCE = ("hasattr", "find_spec", "version", "VERSION")


@dataclass(frozen=True, eq=False)
class Use:
    """``name`` is the longest dotted name used: "modal.gpu.A100".  ``is_guarded``: the code asks first or catches."""

    name: str
    node: ast.AST
    is_import: bool
    is_guarded: bool


def uses_of_modal(recipe: Recipe) -> tuple[Use, ...]:
    return _uses(recipe.source)


@lru_cache(maxsize=8)
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


def is_guarded(syntax: Syntax, node: ast.AST) -> bool:
    """Whether the code looks before it uses the name: ``hasattr``, a version test, or a ``try`` that catches."""
    if syntax.is_caught(node):
        return True
    for test, _ in syntax.tests_above(node):
        text = syntax.text(test)
        if any(word in text for word in NAMES_PRESENCE) or "TYPE_CHECKING" in text:
            return True
    return False
