"""Paths above the file exist in the container too.

Looks at
    `Path(__file__).parents[n]` that runs at import, without `modal.is_local()` before it.
Why it matters
    In the container the file is /root/app.py: it has two parents.  `parents[2]` is an IndexError there, after the
    image build.  A chain of `.parent` stays at `/` and raises nothing.
Example
    before   ROOT = Path(__file__).resolve().parents[2]
    after    ROOT = Path(__file__).resolve().parent.parent.parent
Source
    brain-go-brr fd62d7ee → 2fcd2e3d; modal 1.6.4 mounts the entrypoint's one file at /root, `__init__.py` or not.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from preflight.api import (
    Context,
    Finding,
    Recipe,
    Span,
    Syntax,
    counted,
    dotted,
    error,
    replaced,
    rule,
    syntax_of,
)

PARENTS_OF_ROOT_FILE = 2  # /root/app.py: /root and /
SAME = ("resolve", "absolute", "expanduser")


def applies(recipe: Recipe) -> str:
    return counted(
        recipe.source.text.count("__file__") if recipe.is_modal_app else 0, "use of __file__", "uses of __file__"
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return
    packages = _packages(context.project / recipe.source.path) if _is_run_as_module(syntax) else 0
    depth = PARENTS_OF_ROOT_FILE + packages
    for node in syntax.every(ast.Subscript):
        above = _above(syntax, node.value.value, 0) if _is_parents(node.value) else None  # type: ignore[attr-defined]
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if above is None or not isinstance(index, int) or isinstance(index, bool) or index < depth - above:
            continue
        if not syntax.is_import_time(node) or syntax.is_caught(node) or _is_local_only(syntax, node):
            continue
        span, held = syntax.span(node), syntax.span(node.value.value)  # type: ignore[attr-defined]
        cut = Span(held.end, span.end) if span and held else None
        yield error(
            f"{syntax.text(node)[:60]}: in the container the file is /root/{Path(recipe.source.path).name}, "
            f"{depth - above} parents below the root",
            "use .parent once for each step, or put it under `if modal.is_local():`",
            syntax.where(node),
            why="an IndexError when the container imports the file, after the image build",
            fix=replaced(recipe.source.path, cut, ".parent" * (index + 1), is_safe=False),
        )


def _is_parents(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "parents"


def _above(syntax: Syntax, node: ast.expr, depth: int) -> int | None:
    """How many folders above ``__file__`` the path is; None when it is no path of it."""
    up = 0
    while True:
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            node, up = node.value, up + 1
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAME:
            node = node.func.value
        else:
            break
    if isinstance(node, ast.Call) and dotted(node.func).rsplit(".", 1)[-1] == "Path" and len(node.args) == 1:
        return up if isinstance(node.args[0], ast.Name) and node.args[0].id == "__file__" else None
    if isinstance(node, ast.Name) and depth < 3:
        values = list(syntax.values_of(node.id))
        inner = _above(syntax, values[0], depth + 1) if len(values) == 1 else None
        return None if inner is None else inner + up
    return None


def _is_local_only(syntax: Syntax, node: ast.AST) -> bool:
    for test, _ in syntax.tests_above(node):
        text = syntax.text(test)
        if any(word in text for word in ("is_local", "__name__", "exists", "len(", "parents", "MODAL_")):
            return True
    return False


def _is_run_as_module(syntax: Syntax) -> bool:
    """Its relative imports work with `modal run -m package.module` alone, which mounts the package."""
    return any(node.level for node in syntax.every(ast.ImportFrom))


def _packages(file: Path) -> int:
    """Folders above the file that are packages: the whole package is mounted below /root."""
    count, folder = 0, file.parent
    while count < 8 and (folder / "__init__.py").is_file():
        count, folder = count + 1, folder.parent
    return count


CHECK = rule(
    id="PRJ910",
    name="app-path-parents-index",
    title="paths above the file exist in the container too",
    find=find,
    applies=applies,
)
