"""Volumes are mounted at paths the client accepts.

Looks at
    The keys of `volumes=` and `network_file_systems=`: absolute and canonical, and not `/`, `/root` or `/tmp`.
Why it matters
    The client refuses any other when the file is imported: nothing of the app runs.
Example
    before   @app.function(volumes={"data": vol})
    after    @app.function(volumes={"/data": vol})
How to fix
    Mount below `/`, at an absolute path without `..`, such as `/data`.
Source
    modal 1.6.4 _utils/mount_utils.py validate_mount_points (a trailing slash is fine; measured).
"""

import ast
import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath

from preflight.api import Call, Findings, Fix, Recipe, Subject, Where, app, error, rule
from preflight.rules.subjects import RESOURCE_CALLS, syntax

KEYWORDS = ("volumes", "network_file_systems")
TAKEN = ("/", "/root", "/tmp")
WHY = "InvalidError when the file is imported"


def _mounted(recipe: Recipe) -> Iterator[tuple[Call, str, str]]:
    for call in RESOURCE_CALLS.of(recipe):
        for keyword in KEYWORDS:
            value = call.kwargs.get(keyword)
            if isinstance(value, dict):
                yield from ((call, keyword, p) for p in value if isinstance(p, str) and not p.startswith("<line "))


@rule("RES690", Subject(_mounted, "mount"))
def find(recipe: Recipe, mount: tuple[Call, str, str]) -> Findings:
    call, keyword, path = mount
    plain = str(PurePosixPath(path)) if path else "."
    where, node = _place(recipe, call, keyword, path)
    if plain in TAKEN:
        yield error(
            f"a mount at {path!r}: the client refuses {', '.join(TAKEN)}",
            "mount it below, such as /data",
            where,
            why=WHY,
        )
    elif plain != posixpath.normpath(plain) or not plain.startswith("/") or plain.startswith("//"):
        wanted = posixpath.normpath("/" + plain.lstrip("/"))
        yield error(
            f"a mount at {path!r}; wanted an absolute path without '..'",
            f"write {wanted!r}",
            where,
            why=WHY,
            fix=_fix(recipe, node, wanted),
        )


def _place(recipe: Recipe, call: Call, keyword: str, path: str) -> tuple[Where, ast.Constant | None]:
    node = app.keyword_node(call, keyword)
    if node is not None and isinstance(node.value, ast.Dict) and call.where.path == recipe.source.path:
        for key in node.value.keys:
            if isinstance(key, ast.Constant) and key.value == path:
                return syntax(recipe).where(key), key
    return app.keyword_where(recipe, call, keyword), None


def _fix(recipe: Recipe, node: ast.Constant | None, wanted: str) -> Fix | None:
    if node is None or wanted in TAKEN:
        return None
    text = app.quoted_like(syntax(recipe).text(node), wanted)
    return app.replaced(recipe.source.path, syntax(recipe).span(node), text, is_safe=True)
