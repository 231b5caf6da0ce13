"""No credential is written in the file.

Looks at
    Strings of the app: tokens that show by their shape (hf_, ghp_, sk-, AKIA …) and opaque values given to names that
    speak of a secret, in dicts, keywords, assignments and `os.environ[…] =`.  Placeholders are left out.
Why it matters
    Everybody who can read the repository has it, for ever. Removing it from the file is not enough: it must be
    withdrawn.
Example
    before   modal.Secret.from_dict({"HF_TOKEN": "hf_…"})
    after    modal.Secret.from_name("huggingface", required_keys=["HF_TOKEN"])
How to fix
    Withdraw the credential where it was made, make a new one, and read it from a Secret.
Source
    modal.com/docs/guide/secrets.
"""

import ast
from collections.abc import Iterator

from preflight.api import Findings, Recipe, Subject, app, error, rule
from preflight.rules.subjects import syntax


def _strings(recipe: Recipe) -> Iterator[ast.Constant]:
    for node in syntax(recipe).every(ast.Constant) if recipe.is_modal_app else ():
        text = node.value
        if isinstance(text, str) and len(text) >= 20 and not isinstance(syntax(recipe).parent(node), ast.Expr):
            yield node


@rule("PRJ830", Subject(_strings, "string"))
def find(recipe: Recipe, node: ast.Constant) -> Findings:
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
