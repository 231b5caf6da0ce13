"""Arguments are of the types that the client takes.

Looks at
    A tuple as a list of packages or commands, values of `.env()` that are no strings, remote paths that are not
    absolute, a lambda for `run_function`, and functions handed to Modal inside other functions without
    `serialized=True`.
Why it matters
    The client raises InvalidError when the file is imported: nothing of the app runs.
Example
    before   image.env({"MAX_JOBS": 4})
    after    image.env({"MAX_JOBS": "4"})
Source
    modal 1.6.4 _image.py and app.py, each tried against the installed client.
"""

import ast
from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Fix,
    Recipe,
    Syntax,
    counted,
    error,
    is_certain,
    replaced,
    rule,
    syntax_of,
)

FLAT = ("pip_install", "uv_pip_install", "apt_install", "run_commands", "dockerfile_commands", "micromamba_install")
REMOTE = ("add_local_dir", "add_local_file")
WHY = "InvalidError when the file is imported: nothing of the app runs"


def applies(recipe: Recipe) -> str:
    return counted(len(recipe.calls), "call of Modal's API", "calls of Modal's API")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return
    for call in recipe.calls:
        method = call.name.rsplit(".", 1)[-1]
        if call.name.startswith("modal.Image.") and isinstance(call.node, ast.Call):
            if method in FLAT:
                yield from _tuples(recipe, syntax, call.node, method)
            elif method == "env":
                yield from _values(recipe, syntax, call)
            elif method in REMOTE:
                yield from _remote(syntax, call, method)
            elif method == "run_function" and call.node.args and isinstance(call.node.args[0], ast.Lambda):
                yield error(
                    "run_function gets a lambda; the client takes a function with a name",
                    "write it as a def at the top level",
                    syntax.where(call.node.args[0]),
                    why=WHY,
                )
        elif call.name in ("modal.App.function", "modal.App.cls"):
            yield from _local(recipe, syntax, call)


def _tuples(recipe: Recipe, syntax: Syntax, node: ast.Call, method: str) -> Iterator[Finding]:
    for arg in node.args:
        if isinstance(arg, ast.Tuple):
            yield error(
                f"{method} gets a tuple; the client takes strings and lists of strings",
                "write it as a list",
                syntax.where(arg),
                why=WHY,
                fix=_as_list(recipe, syntax, arg),
            )


def _as_list(recipe: Recipe, syntax: Syntax, node: ast.Tuple) -> Fix | None:
    text = syntax.text(node)
    if not (text.startswith("(") and text.endswith(")")):
        return None
    return replaced(recipe.source.path, syntax.span(node), f"[{text[1:-1]}]", is_safe=True)


def _values(recipe: Recipe, syntax: Syntax, call: Call) -> Iterator[Finding]:
    assert isinstance(call.node, ast.Call)
    given = call.node.args[0] if call.node.args else None
    if not isinstance(given, ast.Dict):
        return
    for key, value in zip(given.keys, given.values, strict=True):
        if isinstance(value, ast.Constant) and not isinstance(value.value, str) and key is not None:
            written = str(value.value) if isinstance(value.value, int | float) else ""
            is_number = bool(written) and not isinstance(value.value, bool)
            yield error(
                f".env {syntax.text(key)} is {syntax.text(value)}, which is no string",
                f'write "{written}"' if is_number else "write it as a string",
                syntax.where(value),
                why=WHY,
                fix=replaced(recipe.source.path, syntax.span(value), f'"{syntax.text(value)}"', is_safe=True)
                if is_number
                else None,
            )


def _remote(syntax: Syntax, call: Call, method: str) -> Iterator[Finding]:
    assert isinstance(call.node, ast.Call)
    remote = call.args[1] if len(call.args) > 1 else call.kwargs.get("remote_path")
    if isinstance(remote, str) and not remote.startswith("/") and not call.has_spread:
        yield error(
            f"{method} to {str(remote)!r}; the client takes absolute remote paths only",
            f"write {'/root/' + str(remote).removeprefix('./')!r} or another absolute path",
            call.where,
            why=WHY,
        )


def _local(recipe: Recipe, syntax: Syntax, call: Call) -> Iterator[Finding]:
    """A decorated def inside another def: the container can't find it by its name."""
    node = call.node
    holder = syntax.parent(node) if node is not None else None
    if (
        not isinstance(holder, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        or node not in holder.decorator_list
    ):
        return
    if (
        "serialized" in call.kwargs
        or call.has_spread
        or syntax.function_of(holder) is None
        or not is_certain(recipe, call)
    ):
        return
    yield error(
        f"{holder.name} is handed to Modal inside another function, and is not serialized",
        "move it to the top level, or add serialized=True",
        call.where,
        why=WHY,
    )


CHECK = rule(
    id="PRJ950",
    name="app-arg-type",
    title="arguments are of the types that the client takes",
    find=find,
    applies=applies,
)
