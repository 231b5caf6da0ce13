"""No server falls back on a password that stands in the file.

Looks at
    Apps that answer from outside (web endpoints, `modal.forward`): `os.environ.get("…TOKEN", "…")` with a default, and
    constants such as JUPYTER_TOKEN = "…" that a function uses.
Why it matters
    The address is public: with the password in the repository, anybody can run code on the GPU that you pay for.
Example
    before   TOKEN = os.environ.get("JUPYTER_TOKEN", "modal")
    after    TOKEN = os.environ.get("JUPYTER_TOKEN") or secrets.token_urlsafe(16)
Source
    modal.com/docs/guide/tunnels: a tunnel is open to the internet.
"""

import ast
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Recipe,
    Syntax,
    Where,
    counted,
    dotted,
    functions_of,
    is_secret_name,
    is_web,
    rule,
    syntax_of,
    warning,
)

READS = frozenset({"os.environ.get", "os.getenv", "environ.get", "getenv"})


def applies(recipe: Recipe) -> str:
    return counted(_doors(recipe), "way in from outside", "ways in from outside")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    if syntax is None or not _doors(recipe):
        return
    for name, where in sorted((*_defaults(syntax), *_constants(syntax)), key=lambda found: found[1]):
        yield warning(
            f"{name} has a value that stands in the file, and the server is open to the internet",
            "take it from a Secret, and make a random one when there is none",
            where,
            why="anybody who has read the file gets in",
        )


def _doors(recipe: Recipe) -> int:
    tunnels = sum(c.name == "modal.forward" for c in recipe.calls)
    return tunnels + sum(is_web(f) for f in functions_of(recipe))


def _defaults(syntax: Syntax) -> Iterator[tuple[str, Where]]:
    for call in syntax.every(ast.Call):
        if dotted(call.func) in READS and len(call.args) == 2:
            key, default = call.args
            if _is_text(key) and _is_text(default) and is_secret_name(key.value):  # type: ignore[attr-defined]
                yield key.value, syntax.where(call)  # type: ignore[attr-defined]


def _constants(syntax: Syntax) -> Iterator[tuple[str, Where]]:
    used = {n.id for n in syntax.every(ast.Name) if isinstance(n.ctx, ast.Load) and not syntax.is_import_time(n)}
    for assign in syntax.every(ast.Assign):
        target = assign.targets[0]
        if isinstance(target, ast.Name) and is_secret_name(target.id) and _is_text(assign.value) and target.id in used:
            yield target.id, syntax.where(assign)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


CHECK = rule(
    id="PRJ850",
    name="sec-default-credential",
    title="no server falls back on a password that stands in the file",
    find=find,
    applies=applies,
)
