"""Environment variables that the app's own code reads, and how."""

from __future__ import annotations

import ast

from preflight.app.model import EnvironRead, Source
from preflight.app.syntax import Syntax, syntax_of, text_of

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


def reads(source: Source) -> tuple[EnvironRead, ...]:
    """Every read of a variable by its literal name, with the function that holds it."""
    syntax = syntax_of(source)
    if syntax is None or not any(dotted.split(".")[0] in MODULES for dotted in syntax.imports.values()):
        return ()
    found = [
        EnvironRead(key, by, is_required, syntax.where(node), syntax.qualified_name(node))
        for node in syntax.every(ast.Subscript, ast.Compare, ast.Call)
        if (read := _read(node, syntax)) is not None
        for keys, by, is_required in [read]
        for key in keys
    ]
    return tuple(sorted(found, key=lambda r: r.where))


def _read(node: ast.AST, syntax: Syntax) -> tuple[tuple[str, ...], str, bool] | None:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        key = text_of(node.slice)
        return ((key,), "os.environ[…]", True) if key and syntax.imported(node.value) == "os.environ" else None
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        key = text_of(node.left)
        is_environ = key and syntax.imported(node.comparators[0]) == "os.environ"
        return ((key,), "in os.environ", False) if is_environ else None
    if not isinstance(node, ast.Call):
        return None
    name = syntax.imported(node.func)
    key = text_of(node.args[0]) if node.args else ""
    if key and name == "os.environ.pop":
        return (key,), "os.environ.pop()", len(node.args) + len(node.keywords) < 2
    if key and name in GETS:
        return (key,), f"{name}()", False
    is_given = bool(node.args) and name in BY_PLACE  # the call brings its credential, or says that it needs none
    if name in CONVENTIONS and not is_given and not any(k.arg is None or k.arg in GIVEN for k in node.keywords):
        return CONVENTIONS[name], name, False
    return None
