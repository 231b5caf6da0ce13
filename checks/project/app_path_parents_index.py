"""Paths above the file exist in the container too.

Looks at
    `Path(__file__).parents[n]` that runs at import, without `modal.is_local()` before it.
Why it matters
    In the container the file is /root/app.py: it has two parents.  `parents[2]` is an IndexError there, after the
    image build.  A chain of `.parent` stays at `/` and raises nothing.
Example
    before   ROOT = Path(__file__).resolve().parents[2]
    after    ROOT = Path(__file__).resolve().parent.parent.parent
How to fix
    Use `.parent` once for each step, or put the line under `if modal.is_local():`.
Source
    brain-go-brr fd62d7ee → 2fcd2e3d; modal 1.6.4 mounts the entrypoint's one file at /root, `__init__.py` or not.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from preflight.api import Context, Findings, Recipe, Subject, app, error, rule
from preflight.rules.subjects import syntax

PARENTS_OF_ROOT_FILE = 2  # /root/app.py: /root and /
SAME = ("resolve", "absolute", "expanduser")
TESTS = ("is_local", "__name__", "exists", "len(", "parents", "MODAL_")


def _indexed(recipe: Recipe) -> Iterator[tuple[ast.Subscript, ast.Attribute]]:
    """Each ``….parents[n]``, with its ``….parents``."""
    for node in syntax(recipe).every(ast.Subscript) if recipe.is_modal_app else ():
        if isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
            yield node, node.value


@rule("PRJ910", Subject(_indexed, "index of parents"))
def find(recipe: Recipe, indexed: tuple[ast.Subscript, ast.Attribute], context: Context) -> Findings:
    tree, (node, parents) = syntax(recipe), indexed
    file = context.project / recipe.source.path
    depth = PARENTS_OF_ROOT_FILE + (_packages(file) if _is_run_as_module(tree) else 0)
    above = _above(tree, parents.value, 0)
    index = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if above is None or not isinstance(index, int) or isinstance(index, bool) or index < depth - above:
        return
    if not tree.is_import_time(node) or tree.is_caught(node) or _is_local_only(tree, node):
        return
    span, held = tree.span(node), tree.span(parents.value)
    cut = app.Span(held.end, span.end) if span and held else None
    yield error(
        f"{tree.text(node)[:60]}: in the container the file is /root/{file.name}, "
        f"{depth - above} parents below the root",
        "use .parent once for each step, or put it under `if modal.is_local():`",
        tree.where(node),
        why="an IndexError when the container imports the file, after the image build",
        fix=app.replaced(recipe.source.path, cut, ".parent" * (index + 1), is_safe=False),
    )


def _above(tree: app.Syntax, node: ast.expr, depth: int) -> int | None:
    """How many folders above ``__file__`` the path is; None when it is no path of it."""
    up = 0
    while True:
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            node, up = node.value, up + 1
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAME:
            node = node.func.value
        else:
            break
    if isinstance(node, ast.Call) and app.dotted(node.func).rsplit(".", 1)[-1] == "Path" and len(node.args) == 1:
        return up if isinstance(node.args[0], ast.Name) and node.args[0].id == "__file__" else None
    if isinstance(node, ast.Name) and depth < 3:
        values = list(tree.values_of(node.id))
        inner = _above(tree, values[0], depth + 1) if len(values) == 1 else None
        return None if inner is None else inner + up
    return None


def _is_local_only(tree: app.Syntax, node: ast.AST) -> bool:
    return any(word in tree.text(test) for test, _ in tree.tests_above(node) for word in TESTS)


def _is_run_as_module(tree: app.Syntax) -> bool:
    """Its relative imports work with `modal run -m package.module` alone, which mounts the package."""
    return any(node.level for node in tree.every(ast.ImportFrom))


def _packages(file: Path) -> int:
    """Folders above the file that are packages: the whole package is mounted below /root."""
    count, folder = 0, file.parent
    while count < 8 and (folder / "__init__.py").is_file():
        count, folder = count + 1, folder.parent
    return count
