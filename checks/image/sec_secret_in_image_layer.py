"""No secret is built into a layer of the image.

Looks at
    `.env()` variables that speak of a secret and get their value from the environment or the configuration; shell
    strings that put one in from an f-string, or that write one down: `git clone https://$TOKEN@…` without a later
    `git remote set-url` to a clean address, `git config`, `huggingface-cli login --token`, `wandb login`, `> file`.
Why it matters
    Layers are kept and shared in the workspace: everybody who can use the image can read the secret, and a new one does
    not replace it.
Example
    before   image.env({"HF_TOKEN": os.environ["HF_TOKEN"]})
    after    @app.function(image=image, secrets=[modal.Secret.from_name("huggingface")])
How to fix
    Give the secret to the step or the function with `secrets=[…]`, and write it nowhere.
Source
    modal.com/docs/guide/secrets; modal.com/docs/guide/images, build steps take secrets= too.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import Findings, Link, Recipe, Where, app, build, error, rule, warning
from preflight.redact import is_secret_name
from preflight.rules.subjects import LAYERS, syntax

VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)")
IN_URL = re.compile(r"https?://[^\s/\"']*\$\{?([A-Za-z_]\w*)\}?[^\s/\"']*@")
LOGINS = re.compile(
    r"\b(?:huggingface-cli|hf(?:\s+auth)?|wandb|docker|gh\s+auth|npm|aws)\b.*\b(?:login|configure|set)\b"
)
REMEDY = "give it to the step or the function with secrets=[…], and write it nowhere"
WHY = "the layer is kept and shared, with the secret in it"
READS = frozenset({"os.environ.get", "os.getenv", "environ.get", "getenv"})


@rule("IMG840", LAYERS)
def find(recipe: Recipe, link: Link) -> Findings:
    node = link.step.node
    if node is not None and link.step.where.path == recipe.source.path:
        for name, where in _from_python(syntax(recipe), link, node):
            yield warning(f"the value of {name} goes into a layer", REMEDY, where, why=WHY)
        for name, where in _from_environ(syntax(recipe), link, node):
            yield error(f"the value of {name} goes into a layer", REMEDY, where, why=WHY)
    yield from _from_shell(link)


def _from_python(tree: app.Syntax, link: Link, node: ast.Call) -> Iterator[tuple[str, Where]]:
    if link.step.method == "env":
        read = {name for name, _ in _from_environ(tree, link, node)}
        for mapping in [a for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Dict)]:
            for key, value in zip(mapping.keys, mapping.values, strict=True):
                if not isinstance(key, ast.Constant) or key.value in read:
                    continue
                if is_secret_name(str(key.value)) and _is_read(tree, value):
                    yield str(key.value), tree.where(key)
        return
    for part in ast.walk(node):
        if isinstance(part, ast.JoinedStr):
            name = next((n for v in part.values if (n := _secret_of(tree, v))), "")
            if name:
                yield name, tree.where(part)


def _from_environ(tree: app.Syntax, link: Link, node: ast.Call) -> Iterator[tuple[str, Where]]:
    """Variables of `.env()` whose value is read from the environment, through whatever names and parameters."""
    keys = {
        k.value: k for a in ast.walk(node) if isinstance(a, ast.Dict) for k in a.keys if isinstance(k, ast.Constant)
    }
    for name, value in link.step.env.items() if link.step.method == "env" else ():
        if is_secret_name(name) and is_secret_name(app.read_from(value)):
            yield name, tree.where(keys[name]) if name in keys else link.step.where


def _is_read(tree: app.Syntax, value: ast.expr) -> bool:
    """Whether the value comes from outside the file: the environment, a settings object."""
    return isinstance(value, ast.Attribute) or any(
        (isinstance(inner, ast.Call) and app.dotted(inner.func) in READS)
        or (isinstance(inner, ast.Subscript) and app.dotted(inner.value) in ("os.environ", "environ"))
        for inner in build.sources_of(tree, value)
    )


def _secret_of(tree: app.Syntax, value: ast.expr) -> str:
    """The name of a secret that a piece of an f-string puts in; "" for none."""
    if not isinstance(value, ast.FormattedValue) or not _is_read(tree, value.value):
        return ""
    for inner in build.sources_of(tree, value.value):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and is_secret_name(inner.value):
            return inner.value
        if isinstance(inner, ast.Attribute) and is_secret_name(inner.attr):
            return inner.attr
    return ""


def _from_shell(link: Link) -> Findings:
    following = [c for s in (link.step, *link.after) for c in s.shell]
    for command in link.step.shell:
        names = [n for n in VARIABLE.findall(command.text) if is_secret_name(n)]
        if names and _writes(command, following):
            words = " ".join(command.words[:3])
            yield warning(f"`{words} …` writes ${names[0]} into the layer", REMEDY, command.where, why=WHY)


def _writes(command: app.ShellCommand, following: list[app.ShellCommand]) -> bool:
    text = " ".join(command.words)
    if command.words[:1] == ("git",) and IN_URL.search(text):
        later = following[following.index(command) + 1 :] if command in following else following
        if "config" in command.words or "set-url" in command.words:
            return "--system" in command.words or not any("--unset" in c.words for c in later)
        cleaned = any(
            ("set-url" in c.words and not IN_URL.search(" ".join(c.words))) or ".git" in " ".join(c.words)
            for c in later
            if c.words[:1] in (("git",), ("rm",)) and "clone" not in c.words
        )
        return "clone" in command.words and not cleaned
    if LOGINS.search(text):
        return True
    return bool(command.redirects) and any(r.startswith(">") for r in command.redirects) and "echo" in command.words
