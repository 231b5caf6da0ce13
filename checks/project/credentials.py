"""Credentials that are written in the file."""

import ast

from preflight.api import Findings, Recipe, Subject, app, error, rule, warning
from preflight.redact import is_secret_name
from preflight.rules.subjects import syntax

DOORS: Subject[object] = Subject(
    lambda recipe: (
        *(c for c in recipe.calls if c.name == "modal.forward"),
        *(f for f in app.functions_of(recipe) if app.is_web(f)),
    ),
    "way in from outside",
)
STRINGS: Subject[ast.Constant] = Subject(
    lambda recipe: (
        node
        for node in (syntax(recipe).every(ast.Constant) if recipe.is_modal_app else ())
        if len(app.text_of(node)) >= 20 and not isinstance(syntax(recipe).parent(node), ast.Expr)
    ),
    "string",
)


@rule("PRJ850", DOORS.together())
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
    found = [
        (app.text_of(call.args[0]), tree.where(call))
        for call in tree.every(ast.Call)
        if app.environ_variable(call) and len(call.args) == 2 and app.text_of(call.args[1])
    ]
    used = {n.id for n in tree.every(ast.Name) if isinstance(n.ctx, ast.Load) and not tree.is_import_time(n)}
    for assign in tree.every(ast.Assign):
        name = app.dotted(assign.targets[0])
        if name in used and app.text_of(assign.value):
            found.append((name, tree.where(assign)))
    for name, where in sorted(found, key=lambda each: each[1]):
        if is_secret_name(name):
            yield warning(
                f"{name} has a value that stands in the file, and the server is open to the internet",
                "take it from a Secret, and make a random one when there is none",
                where,
                why="anybody who has read the file gets in",
            )


@rule("PRJ830", STRINGS)
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
