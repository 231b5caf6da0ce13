"""Local paths do not depend on where modal run is started.

Looks at
    The local path of `add_local_dir`, `add_local_file`, `pip_install_from_requirements`, `from_dockerfile`, `uv_sync`
    and the like: a relative path that does not come from `__file__`.  One with `..` is a warning, others are advice.
Why it matters
    It is taken from the working directory: the same app works from one folder and not from another.
Example
    before   image.add_local_dir("../../src", "/root/src")
    after    image.add_local_dir(Path(__file__).parent.parent.parent / "src", "/root/src")
How to fix
    Build the path from the file: `Path(__file__).parent / "…"`.
Source
    brain-go-brr changed this path four times before d7a83210; modal 1.6.4 resolves it with Path.absolute.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import Call, Findings, Recipe, Subject, advice, app, build, rule, warning
from preflight.rules.subjects import syntax

KEYWORDS = {
    "add_local_dir": "local_path",
    "add_local_file": "local_path",
    "copy_local_dir": "local_path",
    "copy_local_file": "local_path",
    "pip_install_from_requirements": "requirements_txt",
    "pip_install_from_pyproject": "pyproject_toml",
    "poetry_install_from_file": "poetry_pyproject_toml",
    "uv_sync": "uv_project_dir",
    "from_dockerfile": "path",
    "from_local_dir": "local_path",
    "from_local_file": "local_path",
}
ABSOLUTE = re.compile(r"(?:^|\.)(?:abspath|realpath|resolve|absolute|getcwd|cwd|home|expanduser|dirname)$")
PATHS = ("Path", "PurePath", "PurePosixPath", "str", "fspath")


def _paths(recipe: Recipe) -> Iterator[tuple[Call, ast.expr]]:
    for call in recipe.calls:
        keyword = KEYWORDS.get(call.name.rsplit(".", 1)[-1])
        if keyword is None or not isinstance(call.node, ast.Call):
            continue
        named = next((k.value for k in call.node.keywords if k.arg == keyword), None)
        node = named if named is not None else (call.node.args[0] if call.node.args else None)
        if node is not None and not isinstance(node, ast.Starred):
            yield call, node


@rule("PRJ930", Subject(_paths, "local path"))
def find(recipe: Recipe, path: tuple[Call, ast.expr]) -> Findings:
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
        values = list(tree.values_of(node.id))
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
