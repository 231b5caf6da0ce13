"""Files of this machine that the app needs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from preflight.api import Call, Context, Findings, Image, Recipe, Subject, advice, app, build, rule, warning
from preflight.app.syntax import Holder
from preflight.rules.form import kept
from preflight.rules.subjects import syntax

COPIES = "add_local_dir add_local_file copy_local_dir copy_local_file from_local_dir from_local_file".split()
KEYWORDS = {
    **dict.fromkeys(COPIES, "local_path"),
    "pip_install_from_requirements": "requirements_txt",
    "pip_install_from_pyproject": "pyproject_toml",
    "poetry_install_from_file": "poetry_pyproject_toml",
    "uv_sync": "uv_project_dir",
    "from_dockerfile": "path",
}
ABSOLUTE = re.compile(r"(?:^|\.)(?:abspath|realpath|resolve|absolute|getcwd|cwd|home|expanduser|dirname)$")
PATHS = ("Path", "PurePath", "PurePosixPath", "str", "fspath")
MAY_BRING = frozenset(
    "add_local_dir add_local_file copy_local_dir copy_local_file copy_mount uv_sync pip_install_from_pyproject "
    "pip_install_from_requirements poetry_install_from_file pip_install_private_repos dockerfile_commands".split()
)
LOCAL_TESTS = ("is_local", "__name__")


def _paths(recipe: Recipe) -> Iterator[tuple[Call, ast.expr]]:
    for call in recipe.calls:
        keyword = KEYWORDS.get(call.name.rsplit(".", 1)[-1])
        if keyword is not None and isinstance(call.node, ast.Call):
            named = [k.value for k in call.node.keywords if k.arg == keyword]
            yield from ((call, node) for node in [*named, *call.node.args][:1] if not isinstance(node, ast.Starred))


@rule("PRJ930", Subject(_paths, "local path"))
def app_relative_local_path(recipe: Recipe, path: tuple[Call, ast.expr]) -> Findings:
    """Local paths do not depend on where modal run is started.

    Looks at: The local path of `add_local_dir`, `add_local_file`, `pip_install_from_requirements`, `from_dockerfile`,
        `uv_sync` and the like: a relative path that does not come from `__file__`. One with `..` is a warning, others
        are advice.
    Why it matters: It is taken from the working directory: the same app works from one folder and not from another.
    Example:
        before   image.add_local_dir("../../src", "/root/src")
        after    image.add_local_dir(Path(__file__).parent.parent.parent / "src", "/root/src")
    How to fix: Build the path from the file: `Path(__file__).parent / "…"`.
    Source: brain-go-brr changed this path four times before d7a83210; modal 1.6.4 resolves it with Path.absolute.
    """
    tree, (call, node) = syntax(recipe), path
    text = _relative(tree, node)
    if not text or tree.is_caught(call.node or node):
        return
    tell = warning if ".." in text.split("/") else advice
    yield tell(
        f"{call.name.rsplit('.', 1)[-1]} takes {text!r} from the folder where `modal run` is started",
        f"build it from the file: Path(__file__).parent / {text!r}",
        tree.where(node),
        why="started from another folder it is not found, or it is another folder of that name",
    )


def _relative(tree: app.Syntax, node: ast.expr) -> str:
    """The relative path that the expression writes out; "" when it is absolute, or the text does not say."""
    for inner in build.sources_of(tree, node):
        if isinstance(inner, ast.Subscript | ast.JoinedStr) or (isinstance(inner, ast.Name) and inner.id == "__file__"):
            return ""
        if isinstance(inner, ast.Call):
            attribute = inner.func.attr if isinstance(inner.func, ast.Attribute) else ""
            if ABSOLUTE.search(app.dotted(inner.func) or attribute):
                return ""
    literal = _written(tree, node, 0)
    if literal is None or literal.startswith(("/", "~")) or re.match(r"[A-Za-z]:", literal) or "://" in literal:
        return ""
    return literal


def _written(tree: app.Syntax, node: ast.expr, depth: int) -> str | None:
    """The text of a literal, of Path("…"), of a / b, or of a constant of the module."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name) and depth < 4 and tree.function_of(node) is None:
        values = tree.values.get(node.id, [])
        return _written(tree, values[0], depth + 1) if len(values) == 1 else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        left, right = _written(tree, node.left, depth), _written(tree, node.right, depth)
        return f"{left.rstrip('/')}/{right}" if left and right else None
    if isinstance(node, ast.Call) and not node.keywords and node.args:
        name = app.dotted(node.func)
        parts = [_written(tree, a, depth) for a in node.args]
        if name.rsplit(".", 1)[-1] in PATHS or name == "os.path.join":
            return "/".join(p for p in parts if p) if all(parts) else None
    return None


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
        if (
            tree.is_tested(node, LOCAL_TESTS)
            or app.is_guarded(tree, node)
            or any(parent in local for parent, _ in tree.above(node))
        ):
            continue
        if helper is not None and helper.name not in reached and helper not in run:
            continue
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.split(".")[0]) for alias in node.names)
        elif node.level == 0 and node.module:
            yield node, node.module.split(".")[0]


@rule("PRJ780", Subject(_imports, "import").by(lambda found: found[1]))
def dep_automount(recipe: Recipe, imports: list[tuple[ast.stmt, str]], context: Context) -> Findings:
    """Modules beside the app are added to the image.

    Looks at: Imports of modules that lie beside the app's file, at the top level or in a function that Modal runs, and
        the `add_local_*` steps of the images. What only local entrypoints call runs here and is left out; so is an
        image that copies a folder, was not read whole, or begins at a base that may hold anything.
    Why it matters: Since client 1.0 only the app's own file is mounted: ModuleNotFoundError when the container starts.
    Example:
        before   from model import Net      # model.py, beside app.py
        after    image = image.add_local_python_source("model")
    How to fix: Put `.add_local_python_source("module")` at the end of the image.
    Source: Modal 1.0 migration guide, "automounting"; modal 1.6.4, include_source.
    """
    folder, (node, module) = (context.project / recipe.source.path).parent, imports[0]
    images, package = kept(recipe, _images, _images), folder / module
    is_beside = (folder / f"{module}.py").is_file() or any(package.glob("*.py")) or any(package.glob("*/*.py"))
    if images is None or not is_beside or module == Path(recipe.source.path).stem:
        return
    steps = ([s for s in i.steps if s.method == "add_local_python_source"] for i in images)
    added = ({name.split(".")[0] for s in each for name in app.flat(s.args)} for each in steps)
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
    for function in app.functions_of(recipe):
        if not isinstance(function.images, tuple) and function.images is not None:
            return None
        for image in function.images or ():
            base = build.base_of(image)
            if base is None or not (base.is_slim or base.row is not None):
                return None
            local = any("pip install" in c.text and " ." in c.text for s in image.steps for c in s.shell)
            if not image.is_complete or local or any(s.method in MAY_BRING for s in image.steps):
                return None
            found.append(image)
    return found or None


def _reached_in_container(tree: app.Syntax, run: set[Holder | None], local: set[Holder | None]) -> set[str]:
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
