"""The file can be imported where its variables are not set.

Looks at
    `os.environ["X"]` that runs at import, without `modal.is_local()`, a `try` or a test for the variable.  A variable
    that the image's `.env()` or a secret of every function sets is left out.
Why it matters
    The container imports the file too: a KeyError there, after the image build, for a variable of your shell.
Example
    before   BUCKET = os.environ["BUCKET"]
    after    BUCKET = os.environ.get("BUCKET", "train-data")
How to fix
    Use `os.environ.get("X", …)`, or read the variable in the function that needs it.
Source
    modal.com/docs/guide/global-variables: the file is imported again in the container.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import Findings, Recipe, Subject, app, rule, warning
from preflight.rules.form import kept
from preflight.rules.subjects import syntax

IN_CONTAINER = re.compile(r"^(?:PATH|HOME|PWD|USER|LANG|HOSTNAME|PYTHONPATH|MODAL_\w+)$")
TESTS = ("is_local", "__name__", "environ", "getenv", "MODAL_")


def _reads(recipe: Recipe) -> Iterator[tuple[ast.Subscript, str]]:
    for node in syntax(recipe).every(ast.Subscript) if recipe.is_modal_app else ():
        key = node.slice
        if not isinstance(node.ctx, ast.Load) or app.dotted(node.value) not in ("os.environ", "environ"):
            continue
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and syntax(recipe).is_import_time(node):
            yield node, key.value


@rule("PRJ940", Subject(_reads, "os.environ[…] at import"))
def find(recipe: Recipe, read: tuple[ast.Subscript, str]) -> Findings:
    tree, (node, key) = syntax(recipe), read
    given = kept(recipe, _given, _given)
    if IN_CONTAINER.match(key) or key in given or tree.is_caught(node) or _is_tested(tree, node, key):
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


def _is_tested(tree: app.Syntax, node: ast.AST, key: str) -> bool:
    return any(word in tree.text(test) for test, _ in tree.tests_above(node) for word in (key, *TESTS))
