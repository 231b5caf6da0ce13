"""A bucket's secret names the keys it must hold.

Looks at
    `Secret.from_name` without `required_keys=` that a bucket mount uses, and `Secret.from_dict` for a bucket that
    holds AWS_DEFAULT_REGION and no AWS_REGION.
Why it matters
    With `required_keys` Modal refuses a secret that lacks one when the app starts, before the image build and the
    GPU. The mount reads AWS_REGION; AWS_DEFAULT_REGION is for boto3 and the aws command.
Example
    before   modal.Secret.from_name("aws-s3-secret")
    after    modal.Secret.from_name(
                 "aws-s3-secret", required_keys=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
             )
How to fix
    Add `required_keys=` with the keys that the mount reads, and name the region AWS_REGION.
Source
    modal 1.6.4 Secret.from_name; modal.com/docs/guide/cloud-bucket-mounts.
"""

from preflight.api import Call, Findings, Recipe, advice, app, rule
from preflight.rules.subjects import BUCKET_MOUNTS

WITH_SECRET = BUCKET_MOUNTS.only(lambda c: isinstance(c.kwargs.get("secret"), app.SecretRef), "bucket secret")


@rule("RES680", WITH_SECRET)
def find(recipe: Recipe, call: Call) -> Findings:
    secret: app.SecretRef = call.kwargs["secret"]
    if secret.made_by == "from_name" and not secret.required_keys and not _has_required(recipe, secret):
        yield advice(
            f"the secret {secret.name!r} of a bucket names no required_keys",
            'add required_keys=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]'
            if "endpoint" not in " ".join(call.kwargs)
            else "name the keys that the mount reads in required_keys=",
            secret.where,
            why="a key that is missing shows only when the container mounts the bucket",
        )
    if "AWS_DEFAULT_REGION" in secret.keys and "AWS_REGION" not in secret.keys:
        yield advice(
            "a bucket's secret holds AWS_DEFAULT_REGION; the mount reads AWS_REGION",
            "name the key AWS_REGION, or give both",
            secret.where,
            why="the region is then guessed, and the mount fails where the guess is wrong",
        )


def _has_required(recipe: Recipe, secret: app.SecretRef) -> bool:
    """Whether required_keys= is given at all, though the text may not say which."""
    made = next((c for c in recipe.calls if c.where == secret.where and c.name.endswith("from_name")), None)
    return made is None or "required_keys" in made.kwargs or made.has_spread
