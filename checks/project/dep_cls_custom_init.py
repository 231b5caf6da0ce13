"""Classes on Modal have no constructor of their own.

Looks at
    `__init__` of every `@app.cls` class, and of its base classes in the same file.
Why it matters
    The client refuses it since 1.6.0 when the file is imported.
Example
    before   def __init__(self): self.model = load()
    after    @modal.enter()
             def load(self): self.model = load()
Source
    modal 1.6.4 cls.py: "cannot have a custom constructor (__init__) method"; inherited ones count.
"""

import ast
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Fix,
    Function,
    Recipe,
    Span,
    Syntax,
    counted,
    dotted,
    error,
    replaced,
    rule,
    syntax_of,
    together,
)


def applies(recipe: Recipe) -> str:
    return counted(len(_classes(recipe)), "class on Modal", "classes on Modal")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return
    known = {c.name: c for c in syntax.every(ast.ClassDef)}
    for function in _classes(recipe):
        if function.where.path != recipe.source.path or not isinstance(function.body, ast.ClassDef):
            continue
        init, holder = _init(function.body, known, 0)
        if init is None or holder is None:
            continue
        inherited = "" if holder is function.body else f", inherited from {holder.name}"
        yield error(
            f"{function.name} has a constructor (__init__{inherited}); Modal's classes have none",
            "use @modal.enter() for set-up and `name: str = modal.parameter()` for parameters",
            syntax.where(init),
            why="the client raises InvalidError when the file is imported",
            fix=_fix(recipe, syntax, function.body, init) if not inherited else None,
        )


def _classes(recipe: Recipe) -> list[Function]:
    return [f for f in recipe.functions if f.kind == "cls"]


def _init(
    body: ast.ClassDef, known: dict[str, ast.ClassDef], depth: int
) -> tuple[ast.FunctionDef | None, ast.ClassDef | None]:
    for item in body.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return item, body
    for base in body.bases:
        held = known.get(dotted(base))
        if held is not None and held is not body and depth < 8:
            found = _init(held, known, depth + 1)
            if found[0] is not None:
                return found
    return None, None


def _fix(recipe: Recipe, syntax: Syntax, body: ast.ClassDef, init: ast.FunctionDef) -> Fix | None:
    """Set-up without parameters becomes an enter method."""
    spec = init.args
    plain = len(spec.args) == 1 and not (spec.posonlyargs or spec.kwonlyargs or spec.vararg or spec.kwarg)
    names = {i.name for i in body.body if isinstance(i, ast.FunctionDef | ast.AsyncFunctionDef)}
    span = syntax.span(init)
    calls_super = any(isinstance(n, ast.Name) and n.id == "super" for n in ast.walk(init))
    if not plain or span is None or init.decorator_list or calls_super or "set_up" in names:
        return None
    text = recipe.source.text
    name = text.find("__init__", span.start)
    indent = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    if indent.strip() or "import modal" not in text:
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    return together(
        [
            replaced(
                recipe.source.path, Span(span.start, span.start), f"@modal.enter(){newline}{indent}", is_safe=False
            ),
            replaced(recipe.source.path, Span(name, name + len("__init__")), "set_up", is_safe=False),
        ],
        is_safe=False,
    )


CHECK = rule(
    id="PRJ762",
    name="dep-cls-custom-init",
    title="classes on Modal have no constructor of their own",
    find=find,
    applies=applies,
)
