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
Source
    Modal 1.0 migration guide, "automounting"; modal 1.6.4, include_source.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    Syntax,
    base_of,
    counted,
    functions_of,
    is_guarded,
    rule,
    syntax_of,
    warning,
)

MAY_BRING = frozenset(
    "add_local_dir add_local_file copy_local_dir copy_local_file copy_mount uv_sync pip_install_from_pyproject "
    "pip_install_from_requirements poetry_install_from_file pip_install_private_repos dockerfile_commands".split()
)

Def = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Body = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None


def applies(recipe: Recipe) -> str:
    return counted(len(recipe.functions) and len(list(_imports(recipe))), "import")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    folder = (context.project / recipe.source.path).parent
    syntax = syntax_of(recipe.source)
    images = _images(recipe)
    if syntax is None or images is None:
        return
    added = [{a for s in i.steps if s.method == "add_local_python_source" for a in _names(s.args)} for i in images]
    told: set[str] = set()
    for node, module in _imports(recipe):
        if module in told or not _is_beside(folder, module, recipe) or all(module in names for names in added):
            continue
        told.add(module)
        yield warning(
            f"{module} lies beside the app, and no step adds it to the image",
            f'put .add_local_python_source("{module}") at the end of the image',
            syntax.where(node),
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


def _imports(recipe: Recipe) -> Iterator[tuple[ast.stmt, str]]:
    """Imports that a container runs, with the top name of each module."""
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return
    local = {f.body for f in recipe.functions if f.kind == "local_entrypoint"}
    run = {f.body for f in recipe.functions} - local
    reached = _reached_in_container(syntax, run, local)
    every: list[ast.Import | ast.ImportFrom] = [*syntax.every(ast.Import), *syntax.every(ast.ImportFrom)]
    for node in sorted(every, key=lambda n: n.lineno):
        if _is_local_only(syntax, node) or any(parent in local for parent, _ in syntax.above(node)):
            continue
        helper = _outermost(syntax, node)
        if helper is not None and helper.name not in reached and helper not in run:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name.split(".")[0]
        elif node.level == 0 and node.module:
            yield node, node.module.split(".")[0]


def _reached_in_container(syntax: Syntax, run: set[Body], local: set[Body]) -> set[str]:
    """Names of the functions and classes of the top level that Modal's functions, or importing the file, may call."""
    named: dict[ast.AST | None, set[str]] = {}
    for name in syntax.every(ast.Name):
        named.setdefault(_outermost(syntax, name), set()).add(name.id)
    for attribute in syntax.every(ast.Attribute):
        named.setdefault(_outermost(syntax, attribute), set()).add(attribute.attr)
    reached: set[str] = set()
    waiting = list(named.get(None, ()))
    for holder, names in named.items():
        if holder in run:
            waiting += names
    by_name = {h.name: names for h, names in named.items() if isinstance(h, Def) and h not in local}
    while waiting:
        each = waiting.pop()
        if each not in reached:
            reached.add(each)
            waiting += by_name.get(each, ())
    return reached


def _outermost(syntax: Syntax, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
    """The function or class of the top level in whose body the node runs; None: it runs at import."""
    if syntax.is_import_time(node):
        return None
    found: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None = None
    for parent, _ in syntax.above(node):
        found = parent if isinstance(parent, Def) else found
    return found


def _is_local_only(syntax: Syntax, node: ast.stmt) -> bool:
    tests = [syntax.text(test) for test, _ in syntax.tests_above(node)]
    return is_guarded(syntax, node) or any("is_local" in t or "__name__" in t for t in tests)


def _is_beside(folder: Path, module: str, recipe: Recipe) -> bool:
    own = Path(recipe.source.path).stem
    if module == own:
        return False
    return (folder / f"{module}.py").is_file() or any((folder / module).glob("*.py")) or _is_namespace(folder / module)


def _is_namespace(folder: Path) -> bool:
    """A package without `__init__.py` whose modules lie one folder below."""
    return folder.is_dir() and any(folder.glob("*/*.py"))


CHECK = rule(
    id="PRJ780",
    name="dep-automount",
    title="modules beside the app are added to the image",
    find=find,
    applies=applies,
)
