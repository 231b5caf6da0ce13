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
How to fix
    Bind the name above its use, import it, or correct its spelling.
Source
    brain-go-brr fc2817cb → 0fd836bc.
"""

import ast
import builtins
import difflib
from collections.abc import Iterator, Sequence

from preflight.app.model import Recipe
from preflight.app.syntax import Def, Syntax
from preflight.build.surroundings import python_of
from preflight.facts.torch import number
from preflight.model import Finding
from preflight.rules.edits import replaced
from preflight.rules.findings import error
from preflight.rules.form import Subject, kept, rule
from preflight.rules.subjects import syntax

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
LAZY = (3, 14)  # the first Python that evaluates an annotation only when somebody asks for it
UNDER_A_TEST = ("__name__", "TYPE_CHECKING", "globals()", "is_local", "get_ipython")


def _loads(recipe: Recipe) -> Iterator[ast.Name]:
    """Names that are read when the file is imported; those of annotations last."""
    if not recipe.is_modal_app:
        return
    tree = syntax(recipe)
    loads = [n for n in tree.every(ast.Name) if isinstance(n.ctx, ast.Load) and tree.is_import_time(n)]
    annotations = dict.fromkeys(n for n in loads if _is_annotation(tree, n))
    yield from (n for n in loads if n not in annotations)
    if not _are_lazy(tree, recipe):
        yield from annotations


@rule("PRJ920", Subject(_loads, "name at import").by(lambda n: n.id))
def find(recipe: Recipe, names: Sequence[ast.Name]) -> Iterator[Finding]:
    tree, name = syntax(recipe), names[0].id
    bound = kept(recipe, _bound, _bound)
    if bound is None or name in bound or name in ALWAYS or name in ALSO:
        return
    node = next((n for n in names if not tree.is_caught(n) and not _is_only_checked(tree, n)), None)
    if node is None:
        return
    near = difflib.get_close_matches(name, bound, n=1, cutoff=0.75)
    yield error(
        f"{name} is used when the file is imported, and nothing in it binds that name",
        f"{near[0]} may be meant" if near else "bind it above, or import it",
        tree.where(node),
        why="a NameError at import: nothing of the app runs",
        fix=replaced(recipe.source.path, tree.span(node), near[0], is_safe=False) if near else None,
    )


def _are_lazy(tree: Syntax, recipe: Recipe) -> bool:
    """Whether Python evaluates no annotation when the file is imported."""
    pythons = [number(p) for i in recipe.images if (p := python_of(i)) is not None]
    futures = [n for n in tree.every(ast.ImportFrom) if n.module == "__future__"]
    return LAZY in pythons or any(a.name == "annotations" for n in futures for a in n.names)


def _bound(recipe: Recipe) -> set[str] | None:
    """Every name that importing the file may bind, or a function by ``global``; None when anything may be bound."""
    tree = syntax(recipe)
    called = {c.func.id for c in tree.every(ast.Call) if isinstance(c.func, ast.Name)}
    if {"exec", "globals"} & called or any(a.name == "*" for a in tree.every(ast.alias)):
        return None
    bound = {n.id for n in tree.every(ast.Name) if not isinstance(n.ctx, ast.Load) and tree.is_import_time(n)}
    bound |= {n.name for n in tree.every(*NAMED) if n.name and tree.is_import_time(n)}  # type: ignore[attr-defined]
    bound |= {a.asname or a.name.split(".")[0] for a in tree.every(ast.alias) if tree.is_import_time(a)}
    bound |= {m.rest for m in tree.every(ast.MatchMapping) if m.rest and tree.is_import_time(m)}
    declared: list[ast.Global | ast.Nonlocal] = [*tree.every(ast.Global), *tree.every(ast.Nonlocal)]
    return bound.union(*(each.names for each in declared))


def _is_annotation(tree: Syntax, node: ast.AST) -> bool:
    for parent, child in tree.above(node):
        if isinstance(parent, ast.arg | ast.AnnAssign) and child is parent.annotation:
            return True
        if isinstance(parent, Def) and child is parent.returns:
            return True
        if isinstance(parent, ast.stmt):
            return False
    return False


def _is_only_checked(tree: Syntax, node: ast.AST) -> bool:
    """Under a test that keeps it from running at import, such as __main__ or TYPE_CHECKING."""
    return any(word in tree.text(test) for test, _ in tree.tests_above(node) for word in UNDER_A_TEST)
