"""GPUs are asked for by strings.

Looks at
    `modal.gpu` in every form: `modal.gpu.A100(count=4, size="80GB")`, `from modal import gpu`.
Why it matters
    The module was removed in 1.4.0: an error when the file is imported.
Example
    before   @app.function(gpu=modal.gpu.A100(count=4, size="80GB"))
    after    @app.function(gpu="A100-80GB:4")
How to fix
    Write the string: `gpu="A100-80GB:4"`.
Source
    Modal Python release notes, 1.4.0.
"""

import ast
import re

from preflight.api import Findings, Fix, Recipe, app, error, rule
from preflight.rules.subjects import USES, syntax

NAMES = {"ANY": "any", "A10G": "A10"}


@rule("PRJ743", USES.together())
def find(recipe: Recipe, names: list[app.Use]) -> Findings:
    uses = [u for u in names if u.name.split(".")[1:2] == ["gpu"]]
    fix = None if any(u.is_guarded for u in uses) else _fix(recipe, uses)
    for use in uses:
        if use.is_guarded:
            continue
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
