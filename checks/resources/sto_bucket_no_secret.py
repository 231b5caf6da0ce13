"""A bucket mount has credentials.

Looks at
    `CloudBucketMount` with neither `secret=` nor `oidc_auth_role_arn=`.
Why it matters
    Without credentials only a public bucket can be read, and none written: the container stops at its start.
Example
    before   modal.CloudBucketMount("train-data")
    after    modal.CloudBucketMount("train-data", secret=modal.Secret.from_name("aws-s3-secret"))
Source
    modal.com/docs/guide/cloud-bucket-mounts.
"""

from collections.abc import Iterator

from preflight.api import Call, Context, Finding, Recipe, counted, rule, warning


def applies(recipe: Recipe) -> str:
    return counted(len(_mounts(recipe)), "bucket mount")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _mounts(recipe):
        given = call.kwargs
        if call.has_spread or given.get("secret") is not None or given.get("oidc_auth_role_arn") is not None:
            continue
        if len(call.args) > 3:
            continue
        yield warning(
            f"the mount of {_name(call)} has neither secret= nor oidc_auth_role_arn=",
            "give secret=modal.Secret.from_name(…) with the bucket's keys; leave it so only for a public bucket",
            call.where,
            why="a private bucket answers 403 when the container starts, after the image build",
        )


def _mounts(recipe: Recipe) -> list[Call]:
    return [c for c in recipe.calls if c.name == "modal.CloudBucketMount"]


def _name(call: Call) -> str:
    bucket = call.args[0] if call.args else call.kwargs.get("bucket_name")
    return str(bucket) if isinstance(bucket, str) else "a bucket"


CHECK = rule(
    id="RES670",
    name="sto-bucket-no-secret",
    title="a bucket mount has credentials",
    find=find,
    applies=applies,
)
