"""Deployed objects are found with `from_name`.

Looks at
    `.lookup()` of Function, Cls, Volume, Secret, Dict, Queue and NetworkFileSystem.  `App.lookup` is still there.
Why it matters
    It was removed in 1.2.0: an AttributeError when the line runs.
Example
    before   modal.Function.lookup("my-app", "train")
    after    modal.Function.from_name("my-app", "train")
Source
    Modal Python release notes, 1.2.0; modal 1.6.4 has it on App only.
"""

import ast
from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Recipe,
    counted,
    error,
    is_guarded,
    name_before_parenthesis,
    rule,
    syntax_of,
)

CLASSES = ("Function", "Cls", "Volume", "Secret", "Dict", "Queue", "NetworkFileSystem")


def applies(recipe: Recipe) -> str:
    return counted(len(_calls(recipe)), "call of Modal's API", "calls of Modal's API")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    for call in _calls(recipe):
        kind, _, method = call.name.removeprefix("modal.").rpartition(".")
        if method != "lookup" or kind not in CLASSES or not isinstance(call.node, ast.Call) or syntax is None:
            continue
        if not is_guarded(syntax, call.node):
            yield error(
                f"{kind}.lookup was removed in 1.2.0",
                f"write modal.{kind}.from_name",
                call.where,
                why="an AttributeError when the line runs",
                fix=name_before_parenthesis(recipe.source, call.node, "from_name", is_safe=True),
            )


def _calls(recipe: Recipe) -> list[Call]:
    return list(recipe.calls)


CHECK = rule(
    id="PRJ760",
    name="dep-lookup-removed",
    title="deployed objects are found with from_name",
    find=find,
    applies=applies,
)
