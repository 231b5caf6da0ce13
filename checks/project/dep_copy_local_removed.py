"""Nothing uses the removed `copy_local_*` steps.

Looks at
    `copy_local_file`, `copy_local_dir` and `copy_mount` on images.
Why it matters
    The methods are gone: an AttributeError when the file is imported.  `add_local_*` with `copy=True` does the
    same; without it the files are added when the container starts, which no later build step can see.
Example
    before   image.copy_local_dir("src", "/root/src")
    after    image.add_local_dir("src", "/root/src", copy=True)
Source
    Modal Python release notes, 1.1.0; modal 1.6.4 has no such method.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Fix,
    Recipe,
    Span,
    counted,
    error,
    is_guarded,
    name_before_parenthesis,
    replaced,
    rule,
    syntax_of,
    together,
)

NEW = {"copy_local_file": "add_local_file", "copy_local_dir": "add_local_dir"}
GONE = (*NEW, "copy_mount", "copy_local")


def applies(recipe: Recipe) -> str:
    return counted(len(_steps(recipe)), "image step")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    for call in _steps(recipe):
        method = call.name.rsplit(".", 1)[-1]
        if method not in GONE or syntax is None or call.node is None or is_guarded(syntax, call.node):
            continue
        new = NEW.get(method, "add_local_dir")
        yield error(
            f"Image.{method} is gone from the client",
            f"use {new}(…, copy=True)",
            call.where,
            why="an AttributeError when the file is imported: nothing of the app runs",
            fix=_fix(recipe, call, method),
        )


def _steps(recipe: Recipe) -> list[Call]:
    return [c for c in recipe.calls if c.name.startswith("modal.Image.") and not c.is_bare]


def _fix(recipe: Recipe, call: Call, method: str) -> Fix | None:
    """Only with an absolute remote path: the new method takes no other, and the old one's default was the workdir."""
    remote = call.args[1] if len(call.args) > 1 else call.kwargs.get("remote_path")
    if method not in NEW or not isinstance(call.node, ast.Call) or call.span is None:
        return None
    if not isinstance(remote, str) or not remote.startswith("/"):
        return None
    end = call.span.end - 1
    inside = recipe.source.text[call.span.start : end]
    if "#" in inside.rsplit("\n", 1)[-1]:
        return None
    comma = re.search(r",\s*$", inside)
    at = call.span.start + comma.start() if comma else call.span.start + len(inside.rstrip())
    rename = name_before_parenthesis(recipe.source, call.node, NEW[method], is_safe=True)
    return together(
        [rename, replaced(call.where.path, Span(at, at), ", copy=True", is_safe=True)],
        is_safe=True,
    )


CHECK = rule(
    id="PRJ742",
    name="dep-copy-local-removed",
    title="nothing uses the removed copy_local steps",
    find=find,
    applies=applies,
)
