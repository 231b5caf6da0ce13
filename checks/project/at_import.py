"""What runs when the file is imported, in the container too."""

import ast
import builtins
import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from preflight.api import Context, Findings, Recipe, Subject, app, build, error, facts, rule, warning
from preflight.app.syntax import Def
from preflight.rules.form import kept
from preflight.rules.subjects import syntax

IN_CONTAINER = re.compile(r"^(?:PATH|HOME|PWD|USER|LANG|HOSTNAME|PYTHONPATH|MODAL_\w+)$")
ENVIRON = ("os.environ", "environ")
TESTS_OF_VARIABLES = ("is_local", "__name__", "environ", "getenv", "MODAL_")


def _reads(recipe: Recipe) -> Iterator[tuple[ast.Subscript, str]]:
    for node in syntax(recipe).every(ast.Subscript) if recipe.is_modal_app else ():
        key, is_read = _text(node.slice), isinstance(node.ctx, ast.Load)
        if key and is_read and app.dotted(node.value) in ENVIRON and syntax(recipe).is_import_time(node):
            yield node, key


@rule("PRJ940", Subject(_reads, "read of os.environ at import"))
def app_environ_index_at_import(recipe: Recipe, read: tuple[ast.Subscript, str]) -> Findings:
    """The file can be imported where its variables are not set.

    Looks at: `os.environ["X"]` that runs at import, without `modal.is_local()`, a `try` or a test for the variable. A
        variable that the image's `.env()` or a secret of every function sets is left out.
    Why it matters: The container imports the file too: a KeyError there, after the image build, for a variable of your
        shell.
    Example:
        before   BUCKET = os.environ["BUCKET"]
        after    BUCKET = os.environ.get("BUCKET", "train-data")
    How to fix: Use `os.environ.get("X", …)`, or read the variable in the function that needs it.
    Source: modal.com/docs/guide/global-variables: the file is imported again in the container.
    """
    tree, (node, key) = syntax(recipe), read
    given = kept(recipe, _given, _given)
    if (
        IN_CONTAINER.match(key)
        or key in given
        or tree.is_caught(node)
        or tree.is_tested(node, (key, *TESTS_OF_VARIABLES))
    ):
        return
    instead = f'{tree.text(node.value)}.get("{key}", "")'
    yield warning(
        f'os.environ["{key}"] is read when the file is imported, in the container too',
        f'use os.environ.get("{key}", …), or read it in the function that needs it',
        tree.where(node),
        why="a KeyError when the container starts, after the image build",
        fix=app.replaced(recipe.source.path, tree.span(node), instead, is_safe=False),
    )


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _given(recipe: Recipe) -> set[str]:
    """Variables that every function's container has, as far as the text shows."""
    sets = []
    for function in app.functions_of(recipe):
        names = {key for s in function.secrets if isinstance(s, app.SecretRef) for key in (*s.keys, *s.required_keys)}
        images = function.images if isinstance(function.images, tuple) else ()
        sets.append(names | {key for image in images for step in image.steps for key in step.env})
    return set.intersection(*sets) if sets else set()


PARENTS_OF_ROOT_FILE = 2  # /root/app.py: /root and /
SAME = ("resolve", "absolute", "expanduser")
TESTS_OF_PATHS = ("is_local", "__name__", "exists", "len(", "parents", "MODAL_")


def _indexed(recipe: Recipe) -> Iterator[tuple[ast.Subscript, ast.Attribute]]:
    """Each ``….parents[n]``, with its ``….parents``."""
    for node in syntax(recipe).every(ast.Subscript) if recipe.is_modal_app else ():
        if isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
            yield node, node.value


@rule("PRJ910", Subject(_indexed, "use of .parents[n]"))
def app_path_parents_index(recipe: Recipe, indexed: tuple[ast.Subscript, ast.Attribute], context: Context) -> Findings:
    """Paths above the file exist in the container too.

    Looks at: `Path(__file__).parents[n]` that runs at import, without `modal.is_local()` before it.
    Why it matters: In the container the file is /root/app.py: it has two parents. `parents[2]` is an IndexError there,
        after the image build. A chain of `.parent` stays at `/` and raises nothing.
    Example:
        before   ROOT = Path(__file__).resolve().parents[2]
        after    ROOT = Path(__file__).resolve().parent.parent.parent
    How to fix: Use `.parent` once for each step, or put the line under `if modal.is_local():`.
    Source: brain-go-brr fd62d7ee → 2fcd2e3d; modal 1.6.4 mounts the entrypoint's one file at /root, `__init__.py` or
        not.
    """
    tree, (node, parents) = syntax(recipe), indexed
    file = context.project / recipe.source.path
    depth = PARENTS_OF_ROOT_FILE + (_packages(file) if _is_run_as_module(tree) else 0)
    above = _above(tree, parents.value, 0)
    index = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if above is None or not isinstance(index, int) or isinstance(index, bool) or index < depth - above:
        return
    if not tree.is_import_time(node) or tree.is_caught(node) or tree.is_tested(node, TESTS_OF_PATHS):
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
        values = tree.values.get(node.id, [])
        inner = _above(tree, values[0], depth + 1) if len(values) == 1 else None
        return None if inner is None else inner + up
    return None


def _is_run_as_module(tree: app.Syntax) -> bool:
    """Its relative imports work with `modal run -m package.module` alone, which mounts the package."""
    return any(node.level for node in tree.every(ast.ImportFrom))


def _packages(file: Path) -> int:
    """Folders above the file that are packages: the whole package is mounted below /root."""
    count, folder = 0, file.parent
    while count < 8 and (folder / "__init__.py").is_file():
        count, folder = count + 1, folder.parent
    return count


ALWAYS = frozenset(
    "__file__ __name__ __doc__ __path__ __spec__ __package__ __loader__ __builtins__ __annotations__ __class__ "
    "__qualname__ __module__ WindowsError reveal_type".split()
    + dir(builtins)
)
NAMED: tuple[type[ast.AST], ...] = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
    *(kind for name in ("TypeVar", "ParamSpec", "TypeVarTuple") if (kind := getattr(ast, name, None))),  # Python 3.12
)
LAZY = (3, 14)  # the first Python that evaluates an annotation only when somebody asks for it
UNDER_A_TEST = ("__name__", "TYPE_CHECKING", "globals()", "is_local", "get_ipython")  # not run at import


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
def app_undefined_name(recipe: Recipe, names: list[ast.Name]) -> Findings:
    """Every name that runs at import is bound somewhere in the file.

    Looks at: Names in decorators, in arguments of Modal's calls, in annotations that are evaluated and in other code at
        the top level that nothing in the file binds: no assignment, import, function, parameter or loop. A file with
        `from x import *` is left out.
    Why it matters: A NameError when the file is imported: nothing of the app runs.
    Example:
        before   @app.function(volumes={"/ckpt": checkpoint_volume})   # bound as ckpt_volume
        after    @app.function(volumes={"/ckpt": ckpt_volume})
    How to fix: Bind the name above its use, import it, or correct its spelling.
    Source: brain-go-brr fc2817cb → 0fd836bc.
    """
    tree, name = syntax(recipe), names[0].id
    bound = kept(recipe, _bound, _bound)
    if bound is None or name in bound or name in ALWAYS:
        return
    node = next((n for n in names if not tree.is_caught(n) and not tree.is_tested(n, UNDER_A_TEST)), None)
    if node is None:
        return
    near = difflib.get_close_matches(name, bound, n=1, cutoff=0.75)
    yield error(
        f"{name} is used when the file is imported, and nothing in it binds that name",
        f"{near[0]} may be meant" if near else "bind it above, or import it",
        tree.where(node),
        why="a NameError at import: nothing of the app runs",
        fix=app.replaced(recipe.source.path, tree.span(node), near[0], is_safe=False) if near else None,
    )


def _are_lazy(tree: app.Syntax, recipe: Recipe) -> bool:
    """Whether Python evaluates no annotation when the file is imported."""
    pythons = [facts.version_number(p) for i in recipe.images if (p := build.python_of(i)) is not None]
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


def _is_annotation(tree: app.Syntax, node: ast.AST) -> bool:
    for parent, child in tree.above(node):
        if isinstance(parent, ast.arg | ast.AnnAssign) and child is parent.annotation:
            return True
        if isinstance(parent, Def) and child is parent.returns:
            return True
        if isinstance(parent, ast.stmt):
            return False
    return False
