"""Modules beside the app are added to the image.

Looks at
    Imports of modules that lie beside the app's file, at the top level or in a function that Modal runs, and the
    `add_local_*` steps of the images.  Local entrypoints run here and are left out; so is an app inside a package,
    which is mounted as a whole, and an image that copies a folder or was not read whole.
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


def applies(recipe: Recipe) -> str:
    return counted(len(recipe.functions) and len(list(_imports(recipe))), "import")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    folder = (context.project / recipe.source.path).parent
    syntax = syntax_of(recipe.source)
    images = _images(recipe)
    if syntax is None or images is None or (folder / "__init__.py").exists():
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
    every: list[ast.Import | ast.ImportFrom] = [*syntax.every(ast.Import), *syntax.every(ast.ImportFrom)]
    for node in sorted(every, key=lambda n: n.lineno):
        if _is_local_only(syntax, node) or any(parent in local for parent, _ in syntax.above(node)):
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name.split(".")[0]
        elif node.level == 0 and node.module:
            yield node, node.module.split(".")[0]


def _is_local_only(syntax: Syntax, node: ast.stmt) -> bool:
    tests = [syntax.text(test) for test, _ in syntax.tests_above(node)]
    return is_guarded(syntax, node) or any("is_local" in t or "__name__" in t for t in tests)


def _is_beside(folder: Path, module: str, recipe: Recipe) -> bool:
    own = Path(recipe.source.path).stem
    return module != own and ((folder / f"{module}.py").is_file() or (folder / module / "__init__.py").is_file())


CHECK = rule(
    id="PRJ780",
    name="dep-automount",
    title="modules beside the app are added to the image",
    find=find,
    applies=applies,
)
