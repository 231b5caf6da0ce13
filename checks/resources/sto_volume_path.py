"""Volumes and buckets are mounted at paths the client takes.

Looks at
    The keys of `volumes=` and `network_file_systems=`: absolute and canonical, and not `/`, `/root` or `/tmp`.
Why it matters
    The client refuses any other when the file is imported: nothing of the app runs.
Example
    before   @app.function(volumes={"data": vol})
    after    @app.function(volumes={"/data": vol})
Source
    modal 1.6.4 _utils/mount_utils.py validate_mount_points (a trailing slash is fine; measured).
"""

import ast
import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath

from preflight.api import (
    Call,
    Context,
    Finding,
    Fix,
    Recipe,
    Where,
    counted,
    error,
    keyword_node,
    keyword_where,
    quoted_like,
    replaced,
    resource_calls,
    rule,
    syntax_of,
)

KEYWORDS = ("volumes", "network_file_systems")
TAKEN = ("/", "/root", "/tmp")


def applies(recipe: Recipe) -> str:
    return counted(len(_mounted(recipe)), "mount")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call, keyword, path in _mounted(recipe):
        plain = str(PurePosixPath(path)) if path else "."
        where, node = _place(recipe, call, keyword, path)
        if plain in TAKEN:
            yield error(
                f"a mount at {path!r}: the client refuses {', '.join(TAKEN)}",
                "mount it below, such as /data",
                where,
                why="InvalidError when the file is imported",
            )
        elif plain != posixpath.normpath(plain) or not plain.startswith("/") or plain.startswith("//"):
            wanted = posixpath.normpath("/" + plain.lstrip("/"))
            yield error(
                f"a mount at {path!r}; wanted an absolute path without '..'",
                f"write {wanted!r}",
                where,
                why="InvalidError when the file is imported",
                fix=_fix(recipe, node, wanted),
            )


def _mounted(recipe: Recipe) -> list[tuple[Call, str, str]]:
    found = []
    for call in resource_calls(recipe):
        for keyword in KEYWORDS:
            value = call.kwargs.get(keyword)
            if isinstance(value, dict):
                found += [(call, keyword, p) for p in value if isinstance(p, str) and not p.startswith("<line ")]
    return found


def _place(recipe: Recipe, call: Call, keyword: str, path: str) -> tuple[Where, ast.Constant | None]:
    node, syntax = keyword_node(call, keyword), syntax_of(recipe.source)
    if node is not None and isinstance(node.value, ast.Dict) and syntax and call.where.path == recipe.source.path:
        for key in node.value.keys:
            if isinstance(key, ast.Constant) and key.value == path:
                return syntax.where(key), key
    return keyword_where(recipe, call, keyword), None


def _fix(recipe: Recipe, node: ast.Constant | None, wanted: str) -> Fix | None:
    syntax = syntax_of(recipe.source)
    if node is None or syntax is None or wanted in TAKEN:
        return None
    text = quoted_like(syntax.text(node), wanted)
    return replaced(recipe.source.path, syntax.span(node), text, is_safe=True)


CHECK = rule(
    id="RES690",
    name="sto-volume-path",
    title="volumes are mounted at paths the client takes",
    find=find,
    applies=applies,
)
