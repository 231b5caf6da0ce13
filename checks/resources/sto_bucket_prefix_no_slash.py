"""A bucket mount's prefix ends in a slash.

Looks at
    `key_prefix=` of every `CloudBucketMount`.
Why it matters
    The prefix is put before each object's path, so the client refuses one without a slash: at deploy, not where
    the mount is written.
Example
    before   modal.CloudBucketMount("data", key_prefix="train", secret=aws)
    after    modal.CloudBucketMount("data", key_prefix="train/", secret=aws)
Source
    modal 1.6.4 cloud_bucket_mount.py: ValueError from cloud_bucket_mounts_to_proto.
"""

import ast
from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Fix,
    Recipe,
    counted,
    error,
    keyword_node,
    keyword_value,
    keyword_where,
    quoted_like,
    rule,
    syntax_of,
)


def applies(recipe: Recipe) -> str:
    return counted(len(_with_prefix(recipe)), "bucket prefix", "bucket prefixes")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _with_prefix(recipe):
        prefix = call.kwargs["key_prefix"]
        if isinstance(prefix, str) and prefix and not prefix.endswith("/"):
            yield error(
                f"key_prefix is {str(prefix)!r} and does not end in '/'",
                f"write {str(prefix) + '/'!r}",
                keyword_where(recipe, call, "key_prefix"),
                why="the client raises ValueError when the app is deployed or run",
                fix=_fix(recipe, call, prefix),
            )


def _with_prefix(recipe: Recipe) -> list[Call]:
    return [c for c in recipe.calls if c.name == "modal.CloudBucketMount" and "key_prefix" in c.kwargs]


def _fix(recipe: Recipe, call: Call, prefix: str) -> Fix | None:
    """Only where the prefix is a literal of its own: behind a name, other code may use it as it is."""
    node, syntax = keyword_node(call, "key_prefix"), syntax_of(recipe.source)
    if node is None or syntax is None or not isinstance(node.value, ast.Constant):
        return None
    written = quoted_like(syntax.text(node.value), prefix + "/")
    return keyword_value(recipe.source, call, "key_prefix", written, is_safe=True)


CHECK = rule(
    id="RES660",
    name="sto-bucket-prefix-no-slash",
    title="a bucket mount's prefix ends in a slash",
    find=find,
    applies=applies,
)
