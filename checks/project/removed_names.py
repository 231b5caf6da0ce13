"""Names that Modal's client has no more."""

import ast
import re
from collections.abc import Iterator

from preflight.api import Call, Context, Findings, Fix, Recipe, Where, app, error, facts, rule
from preflight.build.announced import concerns
from preflight.facts.removed import removed_names
from preflight.rules.removals import MODAL_NAMES
from preflight.rules.subjects import CALLS, MODAL_FILE, USES, syntax

# Rules of their own speak of these, with a fix.
TOLD_ELSEWHERE = frozenset({"allow_concurrent_inputs", "NetworkFileSystem", "experimental.clustered"})


@rule("PRJ990", MODAL_FILE)
def dep_announced_end(recipe: Recipe, _: Recipe, context: Context) -> Findings:
    """Nothing that the app uses of Modal is announced to end.

    Looks at: Names and keywords of Modal's API in the app, against the announcements in Modal's client, with their
        dates.
    Why it matters: What works today stops on the day, or with the release, that the announcement names: a run that is
        started again in a month would not begin.
    Example:
        before   app.registered_functions
        after    app.all_functions, as the announcement says
    How to fix: Use what the announcement names in its place.
    Source: Deprecation warnings of the Modal client, read from its wheel (facts/breaks.toml, each with its date).
    """
    yield from concerns(recipe, context.now.date(), left_out=TOLD_ELSEWHERE)


NAMES = {"ANY": "any", "A10G": "A10"}


@rule("PRJ743", USES.together())
def dep_gpu_object(recipe: Recipe, names: list[app.Use]) -> Findings:
    """GPUs are asked for by strings.

    Looks at: `modal.gpu` in every form: `modal.gpu.A100(count=4, size="80GB")`, `from modal import gpu`.
    Why it matters: The module was removed in 1.4.0: an error when the file is imported.
    Example:
        before   @app.function(gpu=modal.gpu.A100(count=4, size="80GB"))
        after    @app.function(gpu="A100-80GB:4")
    How to fix: Write the string: `gpu="A100-80GB:4"`.
    Source: Modal Python release notes, 1.4.0.
    """
    uses = [u for u in names if u.name.split(".")[1:2] == ["gpu"]]
    fix = None if any(u.is_guarded for u in uses) else _fix(recipe, uses)
    for use in (u for u in uses if not u.is_guarded):
        text = _text(syntax(recipe), use)
        yield error(
            "modal.gpu was removed in 1.4.0: GPUs are strings",
            f"write gpu={text}" if text else 'write gpu="A100-80GB" or the like, with ":4" for four',
            syntax(recipe).where(use.node),
            why="an error when the file is imported: nothing of the app runs",
            fix=fix,
        )


def _fix(recipe: Recipe, uses: list[app.Use]) -> Fix | None:
    """Every object becomes its string and the import goes, in one go; None when one of them can't."""
    edits: list[Fix | None] = []
    for use in uses:
        if isinstance(use.node, ast.alias):
            edits.append(_without_import(recipe, use.node))
            continue
        call, text = syntax(recipe).parent(use.node), _text(syntax(recipe), use)
        if not text or not isinstance(call, ast.Call):
            return None
        edits.append(app.replaced(recipe.source.path, syntax(recipe).span(call), text, is_safe=True))
    return app.together(edits, is_safe=True)


def _text(tree: app.Syntax, use: app.Use) -> str:
    """The string, as source, that stands for the object; "" when its arguments say more than a string can."""
    call = tree.parent(use.node)
    if not isinstance(call, ast.Call) or call.func is not use.node or len(use.name.split(".")) != 3:
        return ""
    kind = use.name.rsplit(".", 1)[-1].upper()
    name, count = NAMES.get(kind, kind), "1"
    given = {k.arg: k.value for k in call.keywords}
    if call.args or set(given) - {"count", "size", "memory"}:
        return ""
    for keyword in ("size", "memory"):
        if keyword in given:
            size = given[keyword]
            if not isinstance(size, ast.Constant) or kind != "A100":
                return ""
            name = f"A100-{str(size.value).upper().removesuffix('GB')}GB"
    if "count" in given:
        node = given["count"]
        if isinstance(node, ast.Name):
            return f'f"{name}:{{{node.id}}}"'
        if not isinstance(node, ast.Constant) or not isinstance(node.value, int):
            return ""
        count = str(node.value)
    return f'"{name}"' if count == "1" else f'"{name}:{count}"'


def _without_import(recipe: Recipe, alias: ast.alias) -> Fix | None:
    """The import without ``gpu``; the whole line when nothing else is imported there."""
    tree, text = syntax(recipe), recipe.source.text
    statement = tree.parent(alias)
    span, whole = tree.span(alias), tree.span(statement) if statement is not None else None
    if not isinstance(statement, ast.ImportFrom) or span is None or whole is None:
        return None
    if len(statement.names) == 1:
        end = re.compile(r"\r?\n|\r").match(text, whole.end)
        if not isinstance(tree.parent(statement), ast.Module) or end is None:
            return None  # a comment or another statement shares the line
        return app.replaced(recipe.source.path, app.Span(whole.start, end.end()), "", is_safe=True)
    n = statement.names.index(alias)
    neighbour = tree.span(statement.names[n + 1] if n == 0 else statement.names[n - 1])
    if neighbour is None:
        return None
    cut = app.Span(span.start, neighbour.start) if n == 0 else app.Span(neighbour.end, span.end)
    return None if "#" in text[cut.start : cut.end] else app.replaced(recipe.source.path, cut, "", is_safe=True)


CLASSES = ("Function", "Cls", "Volume", "Secret", "Dict", "Queue", "NetworkFileSystem")
OF_METHOD = "write modal.Cls.from_name(app, class), and call the method of an instance: Cls().method.remote()"


@rule("PRJ760", CALLS)
def dep_lookup_removed(recipe: Recipe, call: Call) -> Findings:
    """Deployed objects are found with from_name.

    Looks at: `.lookup()` of Function, Cls, Volume, Secret, Dict, Queue and NetworkFileSystem. `App.lookup` is still
        there.
    Why it matters: It was removed in 1.2.0: an AttributeError when the line runs.
    Example:
        before   modal.Function.lookup("my-app", "train")
        after    modal.Function.from_name("my-app", "train")
    How to fix: Write `from_name`. For a method of a class, write `modal.Cls.from_name(app, class)` and call the method
        of an instance.
    Source: Modal Python release notes, 1.2.0; modal 1.6.4 has it on App only.
    """
    kind, _, method = call.name.removeprefix("modal.").rpartition(".")
    is_it = method == "lookup" and kind in CLASSES
    if not is_it or not isinstance(call.node, ast.Call) or app.is_guarded(syntax(recipe), call.node):
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


OWN_RULE = removed_names() | {"gpu", ".lookup"}  # told, with what takes its place, by a rule of its own
INSTEAD = {
    "App.image": "the Image's own variable: `with image.imports():`",
    "Image.from_dockerhub": "modal.Image.from_registry",
    "Image.conda": "modal.Image.micromamba",
    "Image.conda_install": "Image.micromamba_install",
    "Function.web_url": "Function.get_web_url()",
    "SharedVolume": "modal.Volume",
    "App.webhook": "@modal.fastapi_endpoint() below @app.function()",
    "App.asgi": "@modal.asgi_app() below @app.function()",
    "App.wsgi": "@modal.wsgi_app() below @app.function()",
    "experimental.raw_dockerfile_image": "modal.Image.from_dockerfile",
    "experimental.raw_registry_image": "modal.Image.from_registry",
    "Volume.delete": "modal.Volume.objects.delete",
    "Dict.delete": "modal.Dict.objects.delete",
    "Queue.delete": "modal.Queue.objects.delete",
    "Secret.create_deployed": "modal.Secret.objects.create",
    "Volume.create_deployed": "modal.Volume.objects.create",
}
OTHERWISE = "see the release notes for what took its place, and leave it out"
WHY = "an AttributeError or ImportError when the line runs: at import for what stands at the top level"


@rule("PRJ730", MODAL_NAMES)
def dep_removed_api(recipe: Recipe, _: Recipe) -> Findings:
    """Every name of Modal's is one that the client has.

    Looks at: Names below `modal.`, methods and attributes of its objects (images, volumes, secrets, apps), against the
        current client. Names behind `hasattr`, a `try` or a version test are left out, and so are receivers that may be
        something else (an `app` that is a FastAPI inside a function).
    Why it matters: A name that was removed is an AttributeError or ImportError when the line runs, mostly at import.
    Example:
        before   modal.Image.from_dockerhub("ubuntu:22.04")
        after    modal.Image.from_registry("ubuntu:22.04", add_python="3.12")
    How to fix: Use what the message names; the release notes tell what took the place of other names.
    Source: The public names of the client, facts/modal_api.toml; the release notes for what took their place.
    """
    told = set()
    for gone, where in _all_gone(recipe):
        if where.line not in told:
            told.add(where.line)
            instead = INSTEAD.get(gone.removeprefix("modal."))
            remedy = f"use {instead}" if instead else OTHERWISE
            yield error(f"{gone} is not in modal {facts.modal_api().version}", remedy, where, why=WHY)


def _all_gone(recipe: Recipe) -> Iterator[tuple[str, Where]]:
    tree = syntax(recipe)
    for prefix, uses in (("modal.", USES.of(recipe)), ("", app.attributes_of_objects(recipe))):
        for use in uses:
            if not use.is_guarded and (gone := _gone(use.name)):
                yield prefix + gone, tree.where(use.node)
    for call in recipe.calls:
        gone = _gone(call.name)
        if gone and call.node is not None and not app.is_guarded(tree, call.node) and app.is_certain(recipe, call):
            yield gone, call.where


def _gone(name: str) -> str:
    """The first part of a dotted name that the client lacks; "" when it has it, or can't be judged."""
    api, parts = facts.modal_api(), name.split(".")[1:]
    if not parts or parts[0].startswith("_") or parts[0] in OWN_RULE:
        return ""
    top = parts[0]
    if top not in api.names and top not in api.submodules:
        return top
    if len(parts) < 2 or parts[1].startswith("_") or parts[1] in ("aio", "*"):
        return ""
    both = f"{top}.{parts[1]}"
    if top == "experimental":
        return "" if parts[1] in api.experimental else both
    members = api.classes.get(top)
    if members is None or len(members) < 2 or parts[1] in members or {both, f".{parts[1]}"} & OWN_RULE:
        return ""
    return both
