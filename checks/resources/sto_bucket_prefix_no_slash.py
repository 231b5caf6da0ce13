"""A bucket mount's prefix ends in a slash.

Looks at
    `key_prefix=` of every `CloudBucketMount`.
Why it matters
    The prefix is put before each object's path, so the client refuses one without a slash: at deploy, not where
    the mount is written.
Example
    before   modal.CloudBucketMount("data", key_prefix="train", secret=aws)
    after    modal.CloudBucketMount("data", key_prefix="train/", secret=aws)
How to fix
    End the prefix with a slash.
Source
    modal 1.6.4 cloud_bucket_mount.py: ValueError from cloud_bucket_mounts_to_proto.
"""

import ast

from preflight.api import Call, Findings, Fix, Recipe, app, error, rule
from preflight.rules.subjects import BUCKET_MOUNTS, syntax, with_keyword


@rule("RES660", BUCKET_MOUNTS.only(with_keyword("key_prefix"), "bucket prefix"))
def find(recipe: Recipe, call: Call) -> Findings:
    prefix = call.kwargs["key_prefix"]
    if isinstance(prefix, str) and prefix and not prefix.endswith("/"):
        yield error(
            f"key_prefix is {str(prefix)!r} and does not end in '/'",
            f"write {str(prefix) + '/'!r}",
            app.keyword_where(recipe, call, "key_prefix"),
            why="the client raises ValueError when the app is deployed or run",
            fix=_fix(recipe, call, prefix),
        )


def _fix(recipe: Recipe, call: Call, prefix: str) -> Fix | None:
    """Only where the prefix is a literal of its own: behind a name, other code may use it as it is."""
    node = app.keyword_node(call, "key_prefix")
    if node is None or not isinstance(node.value, ast.Constant):
        return None
    written = app.quoted_like(syntax(recipe).text(node.value), prefix + "/")
    return app.keyword_value(recipe.source, call, "key_prefix", written, is_safe=True)
