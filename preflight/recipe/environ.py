"""Environment variables that the app's own code reads, and how."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from preflight.recipe.model import EnvironRead
from preflight.recipe.offsets import Offsets

CONVENTIONS = {  # what a library reads by itself when the app uses it
    "boto3.client": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "boto3.resource": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "boto3.Session": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "s3fs.S3FileSystem": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "wandb.init": ("WANDB_API_KEY",),
    "wandb.login": ("WANDB_API_KEY",),
    "huggingface_hub.login": ("HF_TOKEN",),
    "openai.OpenAI": ("OPENAI_API_KEY",),
}


def reads(offsets: Offsets) -> tuple[EnvironRead, ...]:
    """Every read of a variable by its literal name, with the function that holds it."""
    tree = offsets.source.tree
    if tree is None:
        return ()
    return tuple(sorted(_in(tree, "", offsets), key=lambda r: (r.where, r.key)))


def _in(node: ast.AST, inside: str, offsets: Offsets) -> Iterator[EnvironRead]:
    pending: list[tuple[ast.AST, str]] = [(node, inside)]
    while pending:
        current, name = pending.pop()
        found = _read(current)
        if found is not None:
            keys, by, is_required = found
            for key in keys:
                yield EnvironRead(key, by, is_required, offsets.where(current), name)
        if isinstance(current, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{name}.{current.name}" if name else current.name
        pending += [(child, name) for child in ast.iter_child_nodes(current)]


def _read(node: ast.AST) -> tuple[tuple[str, ...], str, bool] | None:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _is_environ(node.value):
        key = node.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return (key.value,), "os.environ[…]", True
    if not isinstance(node, ast.Call):
        return None
    spelled = _dotted(node.func)
    is_get = spelled in ("os.environ.get", "environ.get", "os.getenv", "getenv")
    if is_get and node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
        return (node.args[0].value,), f"{spelled}()", False
    for name, keys in CONVENTIONS.items():
        if spelled == name:
            given = {k.arg for k in node.keywords}
            if given & {"aws_access_key_id", "key", "anon", "api_key", "token", "mode"}:
                return None
            return keys, name, False
    return None


def _is_environ(node: ast.expr) -> bool:
    return _dotted(node) in ("os.environ", "environ")


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])
