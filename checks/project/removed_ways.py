"""Ways to set up a class or its inputs that Modal's client has no more."""

import ast
import re

from preflight.api import Call, Edit, Findings, Fix, Function, Recipe, app, error, rule
from preflight.app.syntax import Def
from preflight.rules.edits import newline_of
from preflight.rules.subjects import FUNCTIONS, RESOURCE_CALLS, syntax

OLD = "allow_concurrent_inputs"


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
