"""Credentials that are written in the file."""

import ast
from collections.abc import Iterator

from preflight.api import Findings, Recipe, Subject, Where, app, error, rule, warning
from preflight.redact import is_secret_name
from preflight.rules.subjects import syntax

READS = frozenset({"os.environ.get", "os.getenv", "environ.get", "getenv"})


def _doors(recipe: Recipe) -> Iterator[object]:
    yield from (c for c in recipe.calls if c.name == "modal.forward")
    yield from (f for f in app.functions_of(recipe) if app.is_web(f))


@rule("PRJ850", Subject(_doors, "way in from outside").together())
def sec_default_credential(recipe: Recipe, doors: list[object]) -> Findings:
    """No server falls back on a password that is written in the file.

    Looks at: Apps that answer from outside (web endpoints, `modal.forward`): `os.environ.get("…TOKEN", "…")` with a
        default, and constants such as JUPYTER_TOKEN = "…" that a function uses.
    Why it matters: The address is public. With the password in the repository, anybody can run code on the GPU that you
        pay for.
    Example:
        before   TOKEN = os.environ.get("JUPYTER_TOKEN", "modal")
        after    TOKEN = os.environ.get("JUPYTER_TOKEN") or secrets.token_urlsafe(16)
    How to fix: Take the password from a Secret, and make a random one when there is none.
    Source: modal.com/docs/guide/tunnels: a tunnel is open to the internet.
    """
    tree = syntax(recipe)
    for name, where in sorted((*_defaults(tree), *_constants(tree)), key=lambda found: found[1]):
        yield warning(
            f"{name} has a value that stands in the file, and the server is open to the internet",
            "take it from a Secret, and make a random one when there is none",
            where,
            why="anybody who has read the file gets in",
        )


def _defaults(tree: app.Syntax) -> Iterator[tuple[str, Where]]:
    for call in tree.every(ast.Call):
        if app.dotted(call.func) in READS and len(call.args) == 2:
            key, default = (_text(a) for a in call.args)
            if default and is_secret_name(key):
                yield key, tree.where(call)


def _constants(tree: app.Syntax) -> Iterator[tuple[str, Where]]:
    used = {n.id for n in tree.every(ast.Name) if isinstance(n.ctx, ast.Load) and not tree.is_import_time(n)}
    for assign in tree.every(ast.Assign):
        target = assign.targets[0]
        if isinstance(target, ast.Name) and is_secret_name(target.id) and _text(assign.value) and target.id in used:
            yield target.id, tree.where(assign)


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _strings(recipe: Recipe) -> Iterator[ast.Constant]:
    for node in syntax(recipe).every(ast.Constant) if recipe.is_modal_app else ():
        text = node.value
        if isinstance(text, str) and len(text) >= 20 and not isinstance(syntax(recipe).parent(node), ast.Expr):
            yield node


@rule("PRJ830", Subject(_strings, "string"))
def sec_literal_credential(recipe: Recipe, node: ast.Constant) -> Findings:
    """No credential is written in the file.

    Looks at: Strings of the app: tokens that show by their shape (hf_, ghp_, sk-, AKIA …) and opaque values given to
        names that speak of a secret, in dicts, keywords, assignments and `os.environ[…] =`. Placeholders are left out.
    Why it matters: Everybody who can read the repository has it, for ever. Removing it from the file is not enough: it
        must be withdrawn.
    Example:
        before   modal.Secret.from_dict({"HF_TOKEN": "hf_…"})
        after    modal.Secret.from_name("huggingface", required_keys=["HF_TOKEN"])
    How to fix: Withdraw the credential where it was made, make a new one, and read it from a Secret.
    Source: modal.com/docs/guide/secrets.
    """
    text, name = str(node.value), _name_of(syntax(recipe), node)
    kind = app.credential_in(text) or (f"the value of {name}" if name and app.is_credential(name, text) else "")
    if kind:
        yield error(
            f"{kind} is written in the file",
            "withdraw it where it was made, then use modal.Secret.from_name(…)",
            syntax(recipe).where(node),
            why="whoever reads the repository can use it",
        )


def _name_of(tree: app.Syntax, node: ast.Constant) -> str:
    """The name that the string is given to; "" when it has none."""
    parent = tree.parent(node)
    if isinstance(parent, ast.keyword):
        return parent.arg or ""
    if isinstance(parent, ast.Dict) and node in parent.values:
        key = parent.keys[parent.values.index(node)]
        return str(key.value) if isinstance(key, ast.Constant) else ""
    if isinstance(parent, ast.Assign):
        target = parent.targets[0]
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
            return str(target.slice.value)
        return app.dotted(target).rsplit(".", 1)[-1]
    return ""
