"""Deployed objects are found with from_name.

Looks at
    `.lookup()` of Function, Cls, Volume, Secret, Dict, Queue and NetworkFileSystem.  `App.lookup` is still there.
Why it matters
    It was removed in 1.2.0: an AttributeError when the line runs.
Example
    before   modal.Function.lookup("my-app", "train")
    after    modal.Function.from_name("my-app", "train")
How to fix
    Write `from_name`. For a method of a class, write `modal.Cls.from_name(app, class)` and call the method of an
    instance.
Source
    Modal Python release notes, 1.2.0; modal 1.6.4 has it on App only.
"""

import ast

from preflight.api import Call, Findings, Recipe, app, error, facts, rule
from preflight.rules.subjects import CALLS, syntax

CLASSES = ("Function", "Cls", "Volume", "Secret", "Dict", "Queue", "NetworkFileSystem")
OF_METHOD = "write modal.Cls.from_name(app, class), and call the method of an instance: Cls().method.remote()"


@rule("PRJ760", CALLS)
def find(recipe: Recipe, call: Call) -> Findings:
    kind, _, method = call.name.removeprefix("modal.").rpartition(".")
    if method != "lookup" or kind not in CLASSES or not isinstance(call.node, ast.Call):
        return
    if app.is_guarded(syntax(recipe), call.node):
        return
    is_method, is_same = _names_method(kind, call), _takes_the_same(kind, call)
    rename = app.name_before_parenthesis(recipe.source, call.node, "from_name", is_safe=is_same is True)
    yield error(
        f"{kind}.lookup was removed in 1.2.0",
        OF_METHOD if is_method else f"write modal.{kind}.from_name",
        call.where,
        why="an AttributeError when the line runs",
        fix=None if is_method or is_same is False else rename,
    )


def _names_method(kind: str, call: Call) -> bool:
    """``Function.lookup("app", "Class.method")``: from_name refuses a name with a dot."""
    name = call.args[1] if len(call.args) > 1 else call.kwargs.get("name", call.kwargs.get("tag"))
    return kind == "Function" and isinstance(name, str) and "." in name


def _takes_the_same(kind: str, call: Call) -> bool | None:
    """Whether from_name takes these arguments; None where a name that must hold no dot is not in the text."""
    taken = facts.modal_api().parameters(f"modal.{kind}.from_name") or ()
    if call.has_spread or not {*call.kwargs} <= {*taken} or not isinstance(call.node, ast.Call):
        return False
    if isinstance(call.node.func, ast.Attribute) and call.node.func.attr != "lookup":
        return False  # `.lookup.aio(…)`
    name = call.args[1] if len(call.args) > 1 else call.kwargs.get("name")
    return True if kind != "Function" or isinstance(name, str) else None
