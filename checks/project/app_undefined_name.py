"""Every name that runs at import is bound somewhere in the file.

Looks at
    Names in decorators, in arguments of Modal's calls, in annotations that are evaluated and in other code at the
    top level that nothing in the file binds: no assignment, import, function, parameter or loop.  A file with
    `from x import *` is left out.
Why it matters
    A NameError when the file is imported: nothing of the app runs.
Example
    before   @app.function(volumes={"/ckpt": checkpoint_volume})   # bound as ckpt_volume
    after    @app.function(volumes={"/ckpt": ckpt_volume})
Source
    brain-go-brr fc2817cb → 0fd836bc.
"""

import ast
import builtins
import difflib
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Fix,
    Recipe,
    Syntax,
    counted,
    error,
    python_of,
    replaced,
    rule,
    syntax_of,
    version_number,
)

ALWAYS = frozenset(
    {*dir(builtins), "__file__", "__name__", "__doc__", "__path__", "__spec__", "__package__", "__loader__"}
)
ALSO = frozenset(
    {"__builtins__", "__annotations__", "__class__", "__qualname__", "__module__", "WindowsError", "reveal_type"}
)

NAMED: tuple[type[ast.AST], ...] = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
    *(kind for name in ("TypeVar", "ParamSpec", "TypeVarTuple") if (kind := getattr(ast, name, None))),  # Python 3.12
)


def applies(recipe: Recipe) -> str:
    syntax = syntax_of(recipe.source) if recipe.is_modal_app else None
    return counted(len(_loads(syntax)), "name at import", "names at import") if syntax is not None else ""


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return
    bound = _bound(syntax)
    if bound is None:
        return
    told: set[str] = set()
    for node in [*_loads(syntax), *_annotations(syntax, recipe)]:
        if node.id in bound or node.id in ALWAYS or node.id in ALSO or node.id in told:
            continue
        if syntax.is_caught(node) or _is_only_checked(syntax, node):
            continue
        told.add(node.id)
        near = difflib.get_close_matches(node.id, bound, n=1, cutoff=0.75)
        yield error(
            f"{node.id} is used when the file is imported, and nothing in it binds that name",
            f"{near[0]} may be meant" if near else "bind it above, or import it",
            syntax.where(node),
            why="a NameError at import: nothing of the app runs",
            fix=_fix(syntax, node, near[0]) if near else None,
        )


def _loads(syntax: Syntax) -> list[ast.Name]:
    """Names that are read when the file is imported, beside annotations."""
    found = []
    for node in syntax.every(ast.Name):
        if isinstance(node.ctx, ast.Load) and syntax.is_import_time(node) and not _is_annotation(syntax, node):
            found.append(node)
    return found


LAZY = (3, 14)  # the first Python that evaluates an annotation only when somebody asks for it


def _annotations(syntax: Syntax, recipe: Recipe) -> list[ast.Name]:
    """Names in annotations that Python evaluates when the file is imported."""
    pythons = [version_number(p) for i in recipe.images if (p := python_of(i)) is not None]
    if any(a.name == "annotations" and _is_future(syntax, a) for a in syntax.every(ast.alias)) or LAZY in pythons:
        return []
    return [
        n
        for n in syntax.every(ast.Name)
        if isinstance(n.ctx, ast.Load) and syntax.is_import_time(n) and _is_annotation(syntax, n)
    ]


def _is_future(syntax: Syntax, alias: ast.alias) -> bool:
    parent = syntax.parent(alias)
    return isinstance(parent, ast.ImportFrom) and parent.module == "__future__"


def _bound(syntax: Syntax) -> set[str] | None:
    """Every name that importing the file may bind, or a function by ``global``; None when anything may be bound."""
    called = (c.func.id for c in syntax.every(ast.Call) if isinstance(c.func, ast.Name))
    if "exec" in (seen := {*called}) or "globals" in seen or any(a.name == "*" for a in syntax.every(ast.alias)):
        return None
    bound = {n.id for n in syntax.every(ast.Name) if not isinstance(n.ctx, ast.Load) and syntax.is_import_time(n)}
    bound |= {n.name for n in syntax.every(*NAMED) if n.name and syntax.is_import_time(n)}  # type: ignore[attr-defined]
    bound |= {a.asname or a.name.split(".")[0] for a in syntax.every(ast.alias) if syntax.is_import_time(a)}
    bound |= {m.rest for m in syntax.every(ast.MatchMapping) if m.rest and syntax.is_import_time(m)}
    declared: list[ast.Global | ast.Nonlocal] = [*syntax.every(ast.Global), *syntax.every(ast.Nonlocal)]
    for each in declared:
        bound.update(each.names)
    return bound


def _is_annotation(syntax: Syntax, node: ast.AST) -> bool:
    for parent, child in syntax.above(node):
        if isinstance(parent, ast.arg | ast.AnnAssign) and child is parent.annotation:
            return True
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and child is parent.returns:
            return True
        if isinstance(parent, ast.stmt):
            return False
    return False


def _is_only_checked(syntax: Syntax, node: ast.AST) -> bool:
    """Under a test that keeps it from running at import, such as __main__ or TYPE_CHECKING."""
    return any(
        word in syntax.text(test)
        for test, _ in syntax.tests_above(node)
        for word in ("__name__", "TYPE_CHECKING", "globals()", "is_local", "get_ipython")
    )


def _fix(syntax: Syntax, node: ast.Name, name: str) -> Fix | None:
    return replaced(syntax.source.path, syntax.span(node), name, is_safe=False)


CHECK = rule(
    id="PRJ920",
    name="app-undefined-name",
    title="every name that runs at import is bound somewhere in the file",
    find=find,
    applies=applies,
)
