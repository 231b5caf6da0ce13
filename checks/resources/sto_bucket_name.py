"""A bucket mount is given the bucket's bare name.

Looks at
    `bucket_name` that is an ARN, an address or a path.
Why it matters
    The name is used as it stands: no bucket is called `s3://data`, and the container stops at its start.
Example
    before   modal.CloudBucketMount("s3://data/train", secret=aws)
    after    modal.CloudBucketMount("data", key_prefix="train/", secret=aws)
How to fix
    Give the bare name, and the path below the bucket as `key_prefix=`.
Source
    modal.com/docs/guide/cloud-bucket-mounts; S3's naming rules: 3 to 63 of a-z, 0-9, '.' and '-'.
"""

import re

from preflight.api import Call, Findings, Recipe, error, rule
from preflight.rules.subjects import BUCKET_MOUNTS

WRONG = re.compile(r"^(?:arn:|[a-z0-9]+://)|/|\.amazonaws\.com", re.I)


@rule("RES672", BUCKET_MOUNTS)
def find(recipe: Recipe, call: Call) -> Findings:
    bucket = call.args[0] if call.args else call.kwargs.get("bucket_name")
    if isinstance(bucket, str) and WRONG.search(bucket):
        bare, prefix = _parts(bucket)
        yield error(
            f"bucket_name is {str(bucket)!r}; wanted the bare name",
            f"write {bare!r}" + (f" with key_prefix={prefix!r}" if prefix else ""),
            call.where,
            why="there is no bucket of that name; the container stops when it mounts it",
        )


def _parts(bucket: str) -> tuple[str, str]:
    """Bare name and prefix of an address."""
    rest = re.sub(r"^(?:arn:[^:]*:[^:]*:[^:]*:[^:]*:|[a-z0-9]+://)", "", str(bucket), flags=re.I)
    name, _, prefix = rest.partition("/")
    name = re.sub(r"\.s3[.-][\w.-]*amazonaws\.com$", "", name)
    prefix = prefix.strip("/")
    return name, f"{prefix}/" if prefix else ""
