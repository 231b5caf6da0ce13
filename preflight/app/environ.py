"""Environment variables that the app's own code reads, and how."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from preflight.app import walk
from preflight.app.model import EnvironRead
from preflight.app.offsets import Offsets

AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
CONVENTIONS = {  # what a library reads by itself when the app uses it
    "boto3.client": AWS,
    "boto3.resource": AWS,
    "boto3.Session": AWS,
    "boto3.session.Session": AWS,
    "aioboto3.Session": AWS,
    "s3fs.S3FileSystem": AWS,
    "wandb.init": ("WANDB_API_KEY",),
    "wandb.login": ("WANDB_API_KEY",),
    "huggingface_hub.login": ("HF_TOKEN",),
    "openai.OpenAI": ("OPENAI_API_KEY",),
    "openai.AsyncOpenAI": ("OPENAI_API_KEY",),
    "anthropic.Anthropic": ("ANTHROPIC_API_KEY",),
    "anthropic.AsyncAnthropic": ("ANTHROPIC_API_KEY",),
    "comet_ml.Experiment": ("COMET_API_KEY",),
    "neptune.init_run": ("NEPTUNE_API_TOKEN",),
}
BY_PLACE = frozenset(  # whose first argument is the credential, or says that there is none
    "boto3.Session boto3.session.Session aioboto3.Session s3fs.S3FileSystem huggingface_hub.login "
    "comet_ml.Experiment".split()
)
GIVEN = frozenset(  # arguments that make the library look elsewhere
    "aws_access_key_id profile_name config key anon anonymous profile api_key api_token token mode session".split()
)
MODULES = frozenset({"os", *(name.split(".")[0] for name in CONVENTIONS)})
GETS = frozenset({"os.getenv", "os.environ.get"})


def reads(offsets: Offsets) -> tuple[EnvironRead, ...]:
    """Every read of a variable by its literal name, with the function that holds it."""
    tree = offsets.source.tree
    if tree is None:
        return ()
    return tuple(sorted(_in(tree, offsets), key=lambda r: r.where))


def _in(tree: ast.Module, offsets: Offsets) -> Iterator[EnvironRead]:
    imported = _imports(tree)
    speaking = walk.naming(n for n, dotted in imported.items() if dotted.split(".")[0] in MODULES)
    pending: list[tuple[ast.AST, str]] = [(s, "") for s in tree.body if offsets.may_hold(s, speaking)]
    while pending:
        current, name = pending.pop()
        found = _read(current, imported)
        if found is not None:
            keys, by, is_required = found
            for key in keys:
                yield EnvironRead(key, by, is_required, offsets.where(current), name)
        if isinstance(current, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{name}.{current.name}" if name else current.name
            body = {id(statement) for statement in current.body}  # decorators and defaults run where it is defined
            below = [(c, inner if id(c) in body else name) for c in walk.children(current)]
        else:
            below = [(child, name) for child in walk.children(current)]
        pending += [(child, within) for child, within in below if offsets.may_hold(child, speaking)]


def _imports(tree: ast.Module) -> dict[str, str]:
    """What each imported name of the file is, at any depth: ``wb`` → ``wandb``, ``environ`` → ``os.environ``."""
    found: dict[str, str] = {}
    for node in walk.statements(tree.body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _read(node: ast.AST, imported: Mapping[str, str]) -> tuple[tuple[str, ...], str, bool] | None:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        key = _text(node.slice)
        return ((key,), "os.environ[…]", True) if key and _dotted(node.value, imported) == "os.environ" else None
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        key = _text(node.left)
        asked = key and _dotted(node.comparators[0], imported) == "os.environ"
        return ((key,), "in os.environ", False) if asked else None
    if not isinstance(node, ast.Call):
        return None
    name = _dotted(node.func, imported)
    key = _text(node.args[0]) if node.args else ""
    if key and name == "os.environ.pop":
        return (key,), "os.environ.pop()", len(node.args) + len(node.keywords) < 2
    if key and name in GETS:
        return (key,), f"{name}()", False
    if name in CONVENTIONS and not _is_given(name, node):
        return CONVENTIONS[name], name, False
    return None


def _is_given(name: str, call: ast.Call) -> bool:
    """Whether the call brings its own credential, or says that it needs none."""
    by_place = bool(call.args) and name in BY_PLACE
    return by_place or any(k.arg is None or k.arg in GIVEN for k in call.keywords)


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _dotted(node: ast.expr, imported: Mapping[str, str]) -> str:
    """The full dotted name, when its first part is imported."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in imported:
        return ""
    return ".".join([imported[node.id], *reversed(parts)])
