"""No credential stands in the file.

Looks at
    Strings of the app: tokens that show by their shape (hf_, ghp_, sk-, AKIA …) and opaque values given to names that
    speak of a secret, in dicts, keywords, assignments and `os.environ[…] =`.  Placeholders are left out.
Why it matters
    Everybody who can read the repository has it, for ever; it is to be withdrawn, not only taken out.
Example
    before   modal.Secret.from_dict({"HF_TOKEN": "hf_…"})
    after    modal.Secret.from_name("huggingface", required_keys=["HF_TOKEN"])
Source
    modal.com/docs/guide/secrets.
"""

import ast
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Recipe,
    Syntax,
    counted,
    credential_in,
    dotted,
    error,
    is_credential,
    rule,
    syntax_of,
)


def applies(recipe: Recipe) -> str:
    syntax = syntax_of(recipe.source)
    return counted(len(list(_strings(syntax))), "string") if syntax is not None and recipe.is_modal_app else ""


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax = syntax_of(recipe.source)
    if syntax is None:
        return
    for node in _strings(syntax):
        text = str(node.value)
        name = _name_of(syntax, node)
        what = credential_in(text) or (f"the value of {name}" if name and is_credential(name, text) else "")
        if what:
            yield error(
                f"{what} is written in the file",
                "withdraw it where it was made, then use modal.Secret.from_name(…)",
                syntax.where(node),
                why="whoever reads the repository can use it",
            )


def _strings(syntax: Syntax) -> Iterator[ast.Constant]:
    for node in syntax.every(ast.Constant):
        if isinstance(node.value, str) and len(node.value) >= 20 and not isinstance(syntax.parent(node), ast.Expr):
            yield node


def _name_of(syntax: Syntax, node: ast.Constant) -> str:
    """The name that the string is given to; "" when it has none."""
    parent = syntax.parent(node)
    if isinstance(parent, ast.keyword):
        return parent.arg or ""
    if isinstance(parent, ast.Dict) and node in parent.values:
        key = parent.keys[parent.values.index(node)]
        return str(key.value) if isinstance(key, ast.Constant) else ""
    if isinstance(parent, ast.Assign):
        target = parent.targets[0]
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
            return str(target.slice.value)
        return dotted(target).rsplit(".", 1)[-1]
    return ""


CHECK = rule(
    id="PRJ830",
    name="sec-literal-credential",
    title="no credential stands in the file",
    find=find,
    applies=applies,
)
