"""Modules beside the app are added to the image.

Looks at
    Imports of modules that lie beside the app's file, at the top level or in a function that Modal runs, and the
    `add_local_*` steps of the images.  What only local entrypoints call runs here and is left out; so is an image
    that copies a folder, was not read whole, or begins at a base that may hold anything.
Why it matters
    Since client 1.0 only the app's own file is mounted: ModuleNotFoundError when the container starts.
Example
    before   from model import Net      # model.py, beside app.py
    after    image = image.add_local_python_source("model")
How to fix
    Put `.add_local_python_source("module")` at the end of the image.
Source
    Modal 1.0 migration guide, "automounting"; modal 1.6.4, include_source.
"""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from preflight.app.model import Image, Recipe
from preflight.app.syntax import Holder, Syntax
from preflight.app.uses import is_guarded
from preflight.build.surroundings import base_of
from preflight.model import Finding
from preflight.rules.findings import warning
from preflight.rules.form import Context, Subject, kept, rule
from preflight.rules.resources import functions_of
from preflight.rules.subjects import syntax

MAY_BRING = frozenset(
    "add_local_dir add_local_file copy_local_dir copy_local_file copy_mount uv_sync pip_install_from_pyproject "
    "pip_install_from_requirements poetry_install_from_file pip_install_private_repos dockerfile_commands".split()
)
LOCAL_TESTS = ("is_local", "__name__")


def _imports(recipe: Recipe) -> Iterator[tuple[ast.stmt, str]]:
    """Imports that a container runs, with the top name of each module."""
    if not recipe.functions:
        return
    tree = syntax(recipe)
    local = {f.body for f in recipe.functions if f.kind == "local_entrypoint"}
    run = {f.body for f in recipe.functions} - local
    reached = _reached_in_container(tree, run, local)
    every: list[ast.Import | ast.ImportFrom] = [*tree.every(ast.Import), *tree.every(ast.ImportFrom)]
    for node in sorted(every, key=lambda n: n.lineno):
        helper = tree.outermost(node)
        if _is_local_only(tree, node) or any(parent in local for parent, _ in tree.above(node)):
            continue
        if helper is not None and helper.name not in reached and helper not in run:
            continue
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.split(".")[0]) for alias in node.names)
        elif node.level == 0 and node.module:
            yield node, node.module.split(".")[0]


@rule("PRJ780", Subject(_imports, "import").by(lambda found: found[1]))
def find(recipe: Recipe, imports: Sequence[tuple[ast.stmt, str]], context: Context) -> Iterator[Finding]:
    folder, (node, module) = (context.project / recipe.source.path).parent, imports[0]
    images = kept(recipe, _images, _images)
    if images is None or not _is_beside(folder, module, recipe):
        return
    added = [{a for s in i.steps if s.method == "add_local_python_source" for a in _names(s.args)} for i in images]
    if not all(module in names for names in added):
        yield warning(
            f"{module} lies beside the app, and no step adds it to the image",
            f'put .add_local_python_source("{module}") at the end of the image',
            syntax(recipe).where(node),
            why=f"the container stops at its start: No module named '{module}'",
        )


def _images(recipe: Recipe) -> list[Image] | None:
    """The images of all functions; None where one may hold the module by a way that is not read."""
    found: list[Image] = []
    for function in functions_of(recipe):
        if not isinstance(function.images, tuple) and function.images is not None:
            return None
        for image in function.images or ():
            base = base_of(image)
            if base is None or not (base.is_slim or base.row is not None):
                return None
            local = any("pip install" in c.text and " ." in c.text for s in image.steps for c in s.shell)
            if not image.is_complete or local or any(s.method in MAY_BRING for s in image.steps):
                return None
            found.append(image)
    return found or None


def _names(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value.split(".")[0]
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _names(each)


def _reached_in_container(tree: Syntax, run: set[Holder | None], local: set[Holder | None]) -> set[str]:
    """Names of the functions and classes of the top level that Modal's functions, or importing the file, may call."""
    named: dict[ast.AST | None, set[str]] = {}
    for name in tree.every(ast.Name):
        named.setdefault(tree.outermost(name), set()).add(name.id)
    for attribute in tree.every(ast.Attribute):
        named.setdefault(tree.outermost(attribute), set()).add(attribute.attr)
    waiting = [n for holder, names in named.items() if holder is None or holder in run for n in names]
    by_name = {h.name: names for h, names in named.items() if isinstance(h, Holder) and h not in local}
    reached: set[str] = set()
    while waiting:
        each = waiting.pop()
        if each not in reached:
            reached.add(each)
            waiting += by_name.get(each, ())
    return reached


def _is_local_only(tree: Syntax, node: ast.stmt) -> bool:
    tests = [tree.text(test) for test, _ in tree.tests_above(node)]
    return is_guarded(tree, node) or any(word in t for t in tests for word in LOCAL_TESTS)


def _is_beside(folder: Path, module: str, recipe: Recipe) -> bool:
    """A module, or a package, with `__init__.py` or without: its modules may lie one folder below."""
    if module == Path(recipe.source.path).stem:
        return False
    package = folder / module
    return (folder / f"{module}.py").is_file() or any(package.glob("*.py")) or any(package.glob("*/*.py"))
