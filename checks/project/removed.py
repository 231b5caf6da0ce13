"""What Modal's client has no more: names, keywords and ways; those that are rows of facts/modal_removed.toml too."""

import ast
import re

from preflight.api import Call, Context, Edit, Findings, Fix, Function, Recipe, app, error, facts, rule
from preflight.app.syntax import Def
from preflight.build.announced import concerns
from preflight.facts.removed import removed_names
from preflight.rules import removals
from preflight.rules.edits import newline_of
from preflight.rules.removals import MODAL_NAMES
from preflight.rules.subjects import CALLS, FUNCTIONS, MODAL_FILE, RESOURCE_CALLS, USES, syntax

CHECKS = removals.rules()
# Rules of their own speak of these, with a fix.
TOLD_ELSEWHERE = frozenset({"allow_concurrent_inputs", "NetworkFileSystem", "experimental.clustered"})
NAMES = {"ANY": "any", "A10G": "A10"}
CLASSES = ("Function", "Cls", "Volume", "Secret", "Dict", "Queue", "NetworkFileSystem")
OF_METHOD = "write modal.Cls.from_name(app, class), and call the method of an instance: Cls().method.remote()"
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
OLD = "allow_concurrent_inputs"


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
    if len(statement.names) > 1:
        return app.argument_dropped(recipe.source, span, whole, is_safe=True)
    end = re.compile(r"\r?\n|\r").match(text, whole.end)
    if not isinstance(tree.parent(statement), ast.Module) or end is None:
        return None  # a comment or another statement shares the line
    return app.replaced(recipe.source.path, app.Span(whole.start, end.end()), "", is_safe=True)


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
    node = call.node
    if method != "lookup" or kind not in CLASSES or not isinstance(node, ast.Call):
        return
    if app.is_guarded(syntax(recipe), node):
        return
    name, of_function = call.given("name", 1) or call.kwargs.get("tag"), kind == "Function"
    is_method = of_function and isinstance(name, str) and "." in name  # from_name refuses a name with a dot
    taken = facts.modal_api().parameters(f"modal.{kind}.from_name") or ()
    is_aio = isinstance(node.func, ast.Attribute) and node.func.attr != "lookup"  # `.lookup.aio(…)`
    is_same = not call.has_spread and {*call.kwargs} <= {*taken} and not is_aio
    is_safe = not of_function or isinstance(name, str)
    rename = app.name_before_parenthesis(recipe.source, node, "from_name", is_safe=is_safe)
    yield error(
        f"{kind}.lookup was removed in 1.2.0",
        OF_METHOD if is_method else f"write modal.{kind}.from_name",
        call.where,
        why="an AttributeError when the line runs",
        fix=rename if is_same and not is_method else None,
    )


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
    tree, version, told = syntax(recipe), facts.modal_api().version, set()
    named = [(f"modal.{_gone(use.name)}", use) for use in USES.of(recipe)]
    named += [(_gone(use.name), use) for use in app.attributes_of_objects(recipe)]
    found = [(gone, tree.where(use.node)) for gone, use in named if _gone(use.name) and not use.is_guarded]
    for call in recipe.calls:
        if _gone(call.name) and call.node is not None and app.is_certain(recipe, call):
            found += [] if app.is_guarded(tree, call.node) else [(_gone(call.name), call.where)]
    for gone, where in found:
        if where.line not in told:
            told.add(where.line)
            instead = INSTEAD.get(gone.removeprefix("modal."))
            yield error(f"{gone} is not in modal {version}", f"use {instead}" if instead else OTHERWISE, where, why=WHY)


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


@rule("PRJ751", RESOURCE_CALLS)
def dep_allow_concurrent_inputs(recipe: Recipe, call: Call) -> Findings:
    """Concurrent inputs are asked for with modal.concurrent.

    Looks at: `allow_concurrent_inputs=` on functions, classes and `with_options`.
    Why it matters: It is refused: an error when the file is imported.
    Example:
        before   @app.cls(gpu="A100", allow_concurrent_inputs=10)
        after    @app.cls(gpu="A100")
                 @modal.concurrent(max_inputs=10)
    How to fix: Put `@modal.concurrent(max_inputs=…)` below the decorator.
    Source: modal 1.6.4 _utils/deprecation.py handle_deprecated_parameters.
    """
    if OLD in call.kwargs:
        yield error(
            f"{OLD} is refused since 1.4.0",
            "put @modal.concurrent(max_inputs=…) below the decorator",
            app.keyword_where(recipe, call, OLD),
            why="an error when the file is imported: nothing of the app runs",
            fix=_concurrent(recipe, call),
        )


def _concurrent(recipe: Recipe, call: Call) -> Fix | None:
    node, text, path = app.keyword_node(call, OLD), recipe.source.text, recipe.source.path
    if node is None or call.node is None or call.span is None or call.where.path != path:
        return None
    holder = syntax(recipe).parent(call.node)
    if not isinstance(holder, Def | ast.ClassDef) or call.node not in holder.decorator_list:
        return None
    indent = re.compile(r"[ \t]*").match(text, text.rfind("\n", 0, call.span.start) + 1)
    if indent is None or not re.search(r"^import modal\b", text, re.M):
        return None
    added = f"{newline_of(text)}{indent[0]}@modal.concurrent(max_inputs={syntax(recipe).text(node.value)})"
    dropped = app.keyword_dropped(recipe.source, call, OLD, is_safe=False)
    return app.together(
        [dropped, Fix(edits=(Edit(path, call.span.end, call.span.end, added),), is_safe=False)], is_safe=False
    )


@rule("PRJ762", FUNCTIONS.only(lambda f: f.kind == "cls", "class on Modal"))
def dep_cls_custom_init(recipe: Recipe, function: Function) -> Findings:
    """Classes on Modal have no constructor of their own.

    Looks at: `__init__` of every `@app.cls` class, and of its base classes in the same file.
    Why it matters: The client refuses it since 1.6.0 when the file is imported.
    Example:
        before   def __init__(self): self.model = load()
        after    @modal.enter()
                 def load(self): self.model = load()
    How to fix: Set up in a method with `@modal.enter()`, and declare parameters as `name: str = modal.parameter()`.
    Source: modal 1.6.4 cls.py: "cannot have a custom constructor (__init__) method"; inherited ones count.
    """
    if function.where.path != recipe.source.path or not isinstance(function.body, ast.ClassDef):
        return
    known = {c.name: c for c in syntax(recipe).every(ast.ClassDef)}
    found = _init(function.body, known, 0)
    if found is None:
        return
    init, holder = found
    inherited = "" if holder is function.body else f", inherited from {holder.name}"
    yield error(
        f"{function.name} has a constructor (__init__{inherited}); Modal's classes have none",
        "use @modal.enter() for set-up and `name: str = modal.parameter()` for parameters",
        syntax(recipe).where(init),
        why="the client raises InvalidError when the file is imported",
        fix=_set_up(recipe, function.body, init) if not inherited else None,
    )


def _init(
    body: ast.ClassDef, known: dict[str, ast.ClassDef], depth: int
) -> tuple[ast.FunctionDef, ast.ClassDef] | None:
    for item in body.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return item, body
    for base in body.bases:
        held = known.get(app.dotted(base))
        found = _init(held, known, depth + 1) if held is not None and held is not body and depth < 8 else None
        if found is not None:
            return found
    return None


def _set_up(recipe: Recipe, body: ast.ClassDef, init: ast.FunctionDef) -> Fix | None:
    """Set-up without parameters becomes an enter method."""
    spec, text, span = init.args, recipe.source.text, syntax(recipe).span(init)
    plain = len(spec.args) == 1 and not (spec.posonlyargs or spec.kwonlyargs or spec.vararg or spec.kwarg)
    names = {i.name for i in body.body if isinstance(i, Def)}
    calls_super = any(isinstance(n, ast.Name) and n.id == "super" for n in ast.walk(init))
    if not plain or span is None or init.decorator_list or calls_super or "set_up" in names:
        return None
    name = text.find("__init__", span.start)
    indent = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    if indent.strip() or "import modal" not in text:
        return None
    decorator = Edit(recipe.source.path, span.start, span.start, f"@modal.enter(){newline_of(text)}{indent}")
    return Fix(edits=(decorator, Edit(recipe.source.path, name, name + len("__init__"), "set_up")), is_safe=False)
