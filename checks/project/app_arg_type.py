"""Arguments are of the types that the client accepts.

Looks at
    A tuple as a list of packages or commands, values of `.env()` that are not strings, remote paths that are not
    absolute, a lambda for `run_function`, and functions handed to Modal inside other functions without
    `serialized=True`.
Why it matters
    The client raises InvalidError when the file is imported: nothing of the app runs.
Example
    before   image.env({"MAX_JOBS": 4})
    after    image.env({"MAX_JOBS": "4"})
How to fix
    Write lists as lists and values of `.env()` as strings, give absolute remote paths, and define what Modal runs
    at the top level.
Source
    modal 1.6.4 _image.py and app.py, each tried against the installed client.
"""

import ast

from preflight.api import Call, Findings, Recipe, app, error, rule
from preflight.app.syntax import Def
from preflight.rules.subjects import CALLS, syntax

FLAT = ("pip_install", "uv_pip_install", "apt_install", "run_commands", "dockerfile_commands", "micromamba_install")
REMOTE = ("add_local_dir", "add_local_file")
WHY = "InvalidError when the file is imported: nothing of the app runs"


@rule("PRJ950", CALLS)
def find(recipe: Recipe, call: Call) -> Findings:
    method = call.name.rsplit(".", 1)[-1]
    if call.name in ("modal.App.function", "modal.App.cls"):
        yield from _local(recipe, call)
    elif not call.name.startswith("modal.Image.") or not isinstance(call.node, ast.Call):
        return
    elif method in FLAT:
        yield from _tuples(recipe, call.node, method)
    elif method == "env":
        yield from _values(recipe, call.node)
    elif method in REMOTE:
        yield from _remote(call, method)
    elif method == "run_function" and call.node.args and isinstance(call.node.args[0], ast.Lambda):
        yield error(
            "run_function gets a lambda; the client accepts a function with a name",
            "write it as a def at the top level",
            syntax(recipe).where(call.node.args[0]),
            why=WHY,
        )


def _tuples(recipe: Recipe, node: ast.Call, method: str) -> Findings:
    for arg in node.args:
        if isinstance(arg, ast.Tuple):
            text, span = syntax(recipe).text(arg), syntax(recipe).span(arg)
            is_bracketed = text.startswith("(") and text.endswith(")")
            yield error(
                f"{method} gets a tuple; the client accepts strings and lists of strings",
                "write it as a list",
                syntax(recipe).where(arg),
                why=WHY,
                fix=app.replaced(recipe.source.path, span, f"[{text[1:-1]}]", is_safe=True) if is_bracketed else None,
            )


def _values(recipe: Recipe, node: ast.Call) -> Findings:
    given, tree = node.args[0] if node.args else None, syntax(recipe)
    if not isinstance(given, ast.Dict):
        return
    for key, value in zip(given.keys, given.values, strict=True):
        if isinstance(value, ast.Constant) and not isinstance(value.value, str) and key is not None:
            is_number = isinstance(value.value, int | float) and not isinstance(value.value, bool)
            yield error(
                f".env {tree.text(key)} is {tree.text(value)}, which is not a string",
                f'write "{tree.text(value)}"' if is_number else "write it as a string",
                tree.where(value),
                why=WHY,
                fix=app.replaced(recipe.source.path, tree.span(value), f'"{tree.text(value)}"', is_safe=True)
                if is_number
                else None,
            )


def _remote(call: Call, method: str) -> Findings:
    remote = call.args[1] if len(call.args) > 1 else call.kwargs.get("remote_path")
    if isinstance(remote, str) and not remote.startswith("/") and not call.has_spread:
        yield error(
            f"{method} to {str(remote)!r}; the client accepts absolute remote paths only",
            f"write {'/root/' + str(remote).removeprefix('./')!r} or another absolute path",
            call.where,
            why=WHY,
        )


def _local(recipe: Recipe, call: Call) -> Findings:
    """A decorated def inside another def: the container can't find it by its name."""
    tree, node = syntax(recipe), call.node
    holder = tree.parent(node) if node is not None else None
    if not isinstance(holder, Def | ast.ClassDef) or node not in holder.decorator_list:
        return
    if "serialized" in call.kwargs or call.has_spread or tree.function_of(holder) is None:
        return
    if app.is_certain(recipe, call):
        yield error(
            f"{holder.name} is handed to Modal inside another function, and is not serialized",
            "move it to the top level, or add serialized=True",
            call.where,
            why=WHY,
        )
