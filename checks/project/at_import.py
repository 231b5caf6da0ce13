"""What runs when the file is imported, in the container too."""

import ast
import builtins
import difflib
import itertools
import re
from collections.abc import Iterator

from preflight.api import Context, Findings, Recipe, Subject, app, build, error, facts, rule, warning
from preflight.rules.form import kept
from preflight.rules.subjects import syntax

IN_CONTAINER = re.compile(r"^(?:PATH|HOME|PWD|USER|LANG|HOSTNAME|PYTHONPATH|MODAL_\w+)$")
SUBSCRIPTS: Subject[ast.Subscript] = Subject(
    lambda recipe: syntax(recipe).every(ast.Subscript) if recipe.is_modal_app else (), "subscript"
)
READS: Subject[ast.Subscript] = Subject(
    lambda recipe: (
        node
        for node in SUBSCRIPTS.of(recipe)
        if isinstance(node.ctx, ast.Load) and app.environ_variable(node) and syntax(recipe).is_import_time(node)
    ),
    "read of os.environ at import",
)
PARENTS = SUBSCRIPTS.only(
    lambda node: isinstance(node.value, ast.Attribute) and node.value.attr == "parents", "use of .parents[n]"
)
TESTS_OF_VARIABLES = ("is_local", "__name__", "environ", "getenv", "MODAL_")
PARENTS_OF_ROOT_FILE = 2  # /root/app.py: /root and /
SAME = ("resolve", "absolute", "expanduser")
TESTS_OF_PATHS = ("is_local", "__name__", "exists", "len(", "parents", "MODAL_")
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


@rule("PRJ940", READS)
def app_environ_index_at_import(recipe: Recipe, node: ast.Subscript) -> Findings:
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
    tree, key = syntax(recipe), app.text_of(node.slice)
    is_given = IN_CONTAINER.match(key) or key in kept(recipe, _given, _given)
    if (
        is_given
        or not tree.is_import_time(node)
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


def _given(recipe: Recipe) -> set[str]:
    """Variables that every function's container has, as far as the text shows."""
    sets = []
    for function in app.functions_of(recipe):
        names = {key for s in function.secrets if isinstance(s, app.SecretRef) for key in (*s.keys, *s.required_keys)}
        images = function.images if isinstance(function.images, tuple) else ()
        sets.append(names | {key for image in images for step in image.steps for key in step.env})
    return set.intersection(*sets) if sets else set()


@rule("PRJ910", PARENTS)
def app_path_parents_index(recipe: Recipe, node: ast.Subscript, context: Context) -> Findings:
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
    tree, file = syntax(recipe), context.project / recipe.source.path
    depth = PARENTS_OF_ROOT_FILE
    if any(each.level for each in tree.every(ast.ImportFrom)):  # it runs by `modal run -m`, which mounts the package
        folders = itertools.islice(file.parents, 8)
        depth += len([*itertools.takewhile(lambda folder: (folder / "__init__.py").is_file(), folders)])
    parents = node.value.value if isinstance(node.value, ast.Attribute) else node.value
    above = _above(tree, parents, 0)
    index = node.slice.value if isinstance(node.slice, ast.Constant) else None
    if above is None or not isinstance(index, int) or isinstance(index, bool) or index < depth - above:
        return
    if not tree.is_import_time(node) or tree.is_caught(node) or tree.is_tested(node, TESTS_OF_PATHS):
        return
    span, held = tree.span(node), tree.span(parents)
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


def _loads(recipe: Recipe) -> Iterator[ast.Name]:
    """Names that are read when the file is imported; those of annotations last."""
    if not recipe.is_modal_app:
        return
    tree = syntax(recipe)
    loads = [n for n in tree.every(ast.Name) if isinstance(n.ctx, ast.Load) and tree.is_import_time(n)]
    annotations = dict.fromkeys(n for n in loads if _is_annotation(tree, n))
    yield from (n for n in loads if n not in annotations)
    pythons = [facts.version_number(p) for i in recipe.images if (p := build.python_of(i)) is not None]
    futures = (n for n in tree.every(ast.ImportFrom) if n.module == "__future__")
    are_lazy = LAZY in pythons or any(a.name == "annotations" for n in futures for a in n.names)
    if not are_lazy:
        yield from annotations


def _is_annotation(tree: app.Syntax, node: ast.AST) -> bool:
    for parent, child in tree.above(node):
        if isinstance(parent, ast.arg | ast.AnnAssign) and child is parent.annotation:
            return True
        if isinstance(parent, ast.stmt):
            return isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and child is parent.returns
    return False


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
