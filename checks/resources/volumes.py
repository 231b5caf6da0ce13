"""The Volumes of an app."""

import ast
import posixpath
from pathlib import PurePosixPath

from preflight.api import Call, Findings, Recipe, Subject, advice, app, error, rule
from preflight.rules.subjects import CALLS, RESOURCE_CALLS, syntax

NAMED = CALLS.only(lambda c: c.name in ("modal.Volume.from_name", "modal.NetworkFileSystem.from_name"), "named volume")


@rule("RES710", NAMED)
def sto_volume_not_created(recipe: Recipe, call: Call) -> Findings:
    """A Volume exists, or is made when it is missing.

    Looks at: `Volume.from_name` and `NetworkFileSystem.from_name` without `create_if_missing=`.
    Why it matters: In an environment where nobody made it, the app stops at its start with NotFound.
    Example:
        before   modal.Volume.from_name("checkpoints")
        after    modal.Volume.from_name("checkpoints", create_if_missing=True)
    How to fix: Add `create_if_missing=True`, or make the Volume once with `modal volume create`.
    Source: modal 1.6.4 Volume.from_name.
    """
    if "create_if_missing" in call.kwargs or call.has_spread or len(call.args) > 1:
        return
    name = call.given("name", 0) or call.kwargs.get("label")
    yield advice(
        f"the Volume {repr(str(name)) if isinstance(name, str) else 'of that name'} must exist already: "
        "create_if_missing is not given",
        "add create_if_missing=True, or make it once with `modal volume create`",
        call.where,
    )


TAKEN = ("/", "/root", "/tmp")
WHY = "InvalidError when the file is imported"


MOUNTED: Subject[tuple[Call, str, str]] = Subject(
    lambda recipe: (
        (call, keyword, path)
        for call in RESOURCE_CALLS.of(recipe)
        for keyword in ("volumes", "network_file_systems")
        for mounted in (call.kwargs.get(keyword),)
        for path in (mounted if isinstance(mounted, dict) else ())
        if isinstance(path, str) and not path.startswith("<line ")
    ),
    "mount",
)


@rule("RES690", MOUNTED)
def sto_volume_path(recipe: Recipe, mount: tuple[Call, str, str]) -> Findings:
    """Volumes are mounted at paths the client accepts.

    Looks at: The keys of `volumes=` and `network_file_systems=`: absolute and canonical, and not `/`, `/root` or
        `/tmp`.
    Why it matters: The client refuses any other when the file is imported: nothing of the app runs.
    Example:
        before   @app.function(volumes={"data": vol})
        after    @app.function(volumes={"/data": vol})
    How to fix: Mount below `/`, at an absolute path without `..`, such as `/data`.
    Source: modal 1.6.4 _utils/mount_utils.py validate_mount_points (a trailing slash is fine; measured).
    """
    call, keyword, path = mount
    tree, plain, written = syntax(recipe), str(PurePosixPath(path)) if path else ".", app.keyword_node(call, keyword)
    keys = written.value.keys if written is not None and isinstance(written.value, ast.Dict) else []
    here = keys if call.where.path == recipe.source.path else []
    node = next((k for k in here if isinstance(k, ast.Constant) and k.value == path), None)
    where = tree.where(node) if node is not None else app.keyword_where(recipe, call, keyword)
    if plain in TAKEN:
        message = f"a mount at {path!r}: the client refuses {', '.join(TAKEN)}"
        yield error(message, "mount it below, such as /data", where, why=WHY)
    elif plain != posixpath.normpath(plain) or not plain.startswith("/") or plain.startswith("//"):
        wanted = posixpath.normpath("/" + plain.lstrip("/"))
        is_taken, literal = wanted in TAKEN, app.quoted_like(tree.text(node), wanted) if node is not None else ""
        span = tree.span(node) if node is not None and not is_taken else None
        yield error(
            f"a mount at {path!r}; wanted an absolute path without '..'",
            "mount it below /, such as /data" if is_taken else f"write {wanted!r}",
            where,
            why=WHY,
            fix=app.replaced(recipe.source.path, span, literal, is_safe=True),
        )


MOUNTING = RESOURCE_CALLS.only(lambda c: isinstance(c.kwargs.get("volumes"), dict), "call with volumes")


@rule("RES691", MOUNTING)
def sto_volume_twice(recipe: Recipe, call: Call) -> Findings:
    """No Volume is mounted at two paths of one function.

    Looks at: `volumes=` of each function: the same Volume (by its name, or by the same variable) under two paths.
    Why it matters: The client refuses it when the file is imported or the app is deployed. A bucket mount may stand
        twice.
    Example:
        before   volumes={"/data": vol, "/cache": vol}
        after    volumes={"/data": vol}   # and /data/cache
    How to fix: Mount it at one path and use folders below.
    Source: modal 1.6.4 _utils/mount_utils.py validate_volumes and validate_volumes_by_object_id.
    """
    places: dict[tuple[str, str | None], list[str]] = {}
    mounted = call.kwargs["volumes"]
    for path, each in mounted.items() if isinstance(mounted, dict) else ():
        if isinstance(each, app.VolumeRef) and each.kind == "volume" and each.name:
            places.setdefault((each.name, each.environment), []).append(str(path).rstrip("/"))
    for (name, _), paths in places.items():
        if len(set(paths)) > 1:
            yield error(
                f"the Volume {name!r} is mounted at {' and '.join(paths)}; one function may mount it once",
                "mount it at one path and use folders below",
                app.keyword_where(recipe, call, "volumes"),
                why="the client raises InvalidError before anything runs",
            )
