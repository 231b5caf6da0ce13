"""The file can be imported where its variables are not set.

Looks at
    `os.environ["X"]` that runs at import, without `modal.is_local()`, a `try` or a test for the variable.  A variable
    that the image's `.env()` or a secret of every function sets is left out.
Why it matters
    The container imports the file too: a KeyError there, after the image build, for a variable of your shell.
Example
    before   BUCKET = os.environ["BUCKET"]
    after    BUCKET = os.environ.get("BUCKET", "train-data")
Source
    modal.com/docs/guide/global-variables: the file is imported again in the container.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Recipe,
    SecretRef,
    Syntax,
    counted,
    dotted,
    functions_of,
    replaced,
    rule,
    syntax_of,
    warning,
)

IN_CONTAINER = re.compile(r"^(?:PATH|HOME|PWD|USER|LANG|HOSTNAME|PYTHONPATH|MODAL_\w+)$")


def applies(recipe: Recipe) -> str:
    return counted(len(_reads(recipe)), "os.environ[…] at import", "os.environ[…] at import")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return
    given = _given(recipe)
    for node, key in _reads(recipe):
        if IN_CONTAINER.match(key) or key in given or syntax.is_caught(node) or _is_tested(syntax, node, key):
            continue
        fix = replaced(
            recipe.source.path, syntax.span(node), f'{syntax.text(node.value)}.get("{key}", "")', is_safe=False
        )
        yield warning(
            f'os.environ["{key}"] is read when the file is imported, in the container too',
            f'use os.environ.get("{key}", …), or read it in the function that needs it',
            syntax.where(node),
            why="a KeyError when the container starts, after the image build",
            fix=fix,
        )


def _reads(recipe: Recipe) -> list[tuple[ast.Subscript, str]]:
    syntax = syntax_of(recipe.source)
    if syntax is None or not recipe.is_modal_app:
        return []
    found = []
    for node in syntax.every(ast.Subscript):
        key = node.slice
        if not isinstance(node.ctx, ast.Load) or dotted(node.value) not in ("os.environ", "environ"):
            continue
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and syntax.is_import_time(node):
            found.append((node, key.value))
    return found


def _given(recipe: Recipe) -> set[str]:
    """Variables that every function's container has, as far as the text shows."""
    sets = []
    for function in functions_of(recipe):
        names: set[str] = set()
        for secret in function.secrets:
            if isinstance(secret, SecretRef):
                names |= {*secret.keys, *secret.required_keys}
        if isinstance(function.images, tuple):
            for image in function.images:
                names |= {k for step in image.steps for k in step.env}
        sets.append(names)
    return set.intersection(*sets) if sets else set()


def _is_tested(syntax: Syntax, node: ast.AST, key: str) -> bool:
    for test, _ in syntax.tests_above(node):
        text = syntax.text(test)
        if key in text or any(word in text for word in ("is_local", "__name__", "environ", "getenv", "MODAL_")):
            return True
    return False


CHECK = rule(
    id="PRJ940",
    name="app-environ-index-at-import",
    title="the file can be imported where its variables are not set",
    find=find,
    applies=applies,
)
