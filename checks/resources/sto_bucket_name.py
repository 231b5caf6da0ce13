"""A bucket mount is given the bucket's bare name.

Looks at
    `bucket_name` that is an ARN, an address or a path.
Why it matters
    The name is used as it stands: there is no bucket called `s3://data`, and the container stops at its start.
Example
    before   modal.CloudBucketMount("s3://data/train", secret=aws)
    after    modal.CloudBucketMount("data", key_prefix="train/", secret=aws)
Source
    modal.com/docs/guide/cloud-bucket-mounts; S3's naming rules: 3 to 63 of a-z, 0-9, '.' and '-'.
"""

import re
from collections.abc import Iterator

from preflight.api import Call, Context, Finding, Recipe, counted, error, rule

WRONG = re.compile(r"^(?:arn:|[a-z0-9]+://)|/|\.amazonaws\.com", re.I)


def applies(recipe: Recipe) -> str:
    return counted(len(_mounts(recipe)), "bucket mount")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _mounts(recipe):
        bucket = call.args[0] if call.args else call.kwargs.get("bucket_name")
        if not isinstance(bucket, str) or not WRONG.search(bucket):
            continue
        bare, prefix = _parts(bucket)
        yield error(
            f"bucket_name is {str(bucket)!r}; wanted the bare name",
            f"write {bare!r}" + (f" with key_prefix={prefix!r}" if prefix else ""),
            call.where,
            why="there is no bucket of that name; the container stops when it mounts it",
        )


def _mounts(recipe: Recipe) -> list[Call]:
    return [c for c in recipe.calls if c.name == "modal.CloudBucketMount"]


def _parts(bucket: str) -> tuple[str, str]:
    """Bare name and prefix of an address."""
    rest = re.sub(r"^(?:arn:[^:]*:[^:]*:[^:]*:[^:]*:|[a-z0-9]+://)", "", str(bucket), flags=re.I)
    name, _, prefix = rest.partition("/")
    name = re.sub(r"\.s3[.-][\w.-]*amazonaws\.com$", "", name)
    prefix = prefix.strip("/")
    return name, f"{prefix}/" if prefix else ""


CHECK = rule(
    id="RES672",
    name="sto-bucket-name",
    title="a bucket mount is given the bucket's bare name",
    find=find,
    applies=applies,
)
