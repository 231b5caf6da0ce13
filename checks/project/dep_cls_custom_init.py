"""Classes on Modal have no constructor of their own.

Looks at
    `__init__` of every `@app.cls` class, and of its base classes in the same file.
Why it matters
    The client refuses it since 1.6.0 when the file is imported.
Example
    before   def __init__(self): self.model = load()
    after    @modal.enter()
             def load(self): self.model = load()
How to fix
    Set up in a method with `@modal.enter()`, and declare parameters as `name: str = modal.parameter()`.
Source
    modal 1.6.4 cls.py: "cannot have a custom constructor (__init__) method"; inherited ones count.
"""

import ast

from preflight.api import Findings, Fix, Function, Recipe, app, error, rule
from preflight.app.syntax import Def
from preflight.rules.edits import newline_of
from preflight.rules.subjects import FUNCTIONS, syntax


@rule("PRJ762", FUNCTIONS.only(lambda f: f.kind == "cls", "class on Modal"))
def find(recipe: Recipe, function: Function) -> Findings:
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
        fix=_fix(recipe, function.body, init) if not inherited else None,
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


def _fix(recipe: Recipe, body: ast.ClassDef, init: ast.FunctionDef) -> Fix | None:
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
    decorator = f"@modal.enter(){newline_of(text)}{indent}"
    path = recipe.source.path
    return app.together(
        [
            app.replaced(path, app.Span(span.start, span.start), decorator, is_safe=False),
            app.replaced(path, app.Span(name, name + len("__init__")), "set_up", is_safe=False),
        ],
        is_safe=False,
    )
