"""A bucket mount has credentials.

Looks at
    `CloudBucketMount` with neither `secret=` nor `oidc_auth_role_arn=`.
Why it matters
    Without credentials only a public bucket can be read, and none can be written: the container stops at its start.
Example
    before   modal.CloudBucketMount("train-data")
    after    modal.CloudBucketMount("train-data", secret=modal.Secret.from_name("aws-s3-secret"))
How to fix
    Give `secret=modal.Secret.from_name(…)` with the bucket's keys. Leave it out only for a public bucket.
Source
    modal.com/docs/guide/cloud-bucket-mounts.
"""

from preflight.api import Call, Findings, Recipe, rule, warning
from preflight.rules.subjects import BUCKET_MOUNTS


@rule("RES670", BUCKET_MOUNTS)
def find(recipe: Recipe, call: Call) -> Findings:
    given = call.kwargs
    if call.has_spread or len(call.args) > 3 or any(given.get(k) is not None for k in ("secret", "oidc_auth_role_arn")):
        return
    bucket = call.args[0] if call.args else given.get("bucket_name")
    yield warning(
        f"the mount of {bucket if isinstance(bucket, str) else 'a bucket'} has neither secret= nor oidc_auth_role_arn=",
        "give secret=modal.Secret.from_name(…) with the bucket's keys; leave it out only for a public bucket",
        call.where,
        why="a private bucket answers 403 when the container starts, after the image build",
    )
