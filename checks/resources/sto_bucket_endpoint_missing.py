"""A bucket that is not on S3 names its endpoint.

Looks at
    `CloudBucketMount` whose bucket, variable, secret or endpoint says Google Cloud Storage or Cloudflare R2,
    without `bucket_endpoint_url=`; and a GCS mount whose secret is asked for AWS keys.
Why it matters
    Without an endpoint the mount asks S3 for a bucket of that name, which is missing or somebody else's.
Example
    before   modal.CloudBucketMount("gs-data", secret=modal.Secret.from_name("gcp-hmac"))
    after    modal.CloudBucketMount(
                 "gs-data",
                 bucket_endpoint_url="https://storage.googleapis.com",
                 secret=modal.Secret.from_name("gcp-hmac"),
             )
Source
    modal 1.6.4 cloud_bucket_mount.py: no endpoint means S3; its examples name the endpoints of R2 and GCS.
"""

import re
from collections.abc import Iterator

from preflight.api import Call, Context, Finding, Recipe, SecretRef, counted, error, rule, warning

ELSEWHERE = re.compile(r"(?:^|[-_ ])(gcs|gcp|gs|google|r2|cloudflare|minio|backblaze|wasabi)(?:$|[-_ ])", re.I)
ADDRESS = re.compile(r"^(gs|r2|https?)://", re.I)
ENDPOINTS = {
    "gcs": "https://storage.googleapis.com",
    "gcp": "https://storage.googleapis.com",
    "gs": "https://storage.googleapis.com",
    "google": "https://storage.googleapis.com",
    "r2": "https://<account id>.r2.cloudflarestorage.com",
    "cloudflare": "https://<account id>.r2.cloudflarestorage.com",
}


def applies(recipe: Recipe) -> str:
    return counted(len(_mounts(recipe)), "bucket mount")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _mounts(recipe):
        bucket = call.args[0] if call.args else call.kwargs.get("bucket_name")
        endpoint = call.kwargs.get("bucket_endpoint_url", call.args[1] if len(call.args) > 1 else None)
        if endpoint is not None or call.has_spread:
            continue
        written = str(bucket) if isinstance(bucket, str) else ""
        address = ADDRESS.match(written)
        secret = call.kwargs.get("secret")
        named = secret.name or "" if isinstance(secret, SecretRef) else ""
        keys = " ".join(secret.required_keys) if isinstance(secret, SecretRef) else ""
        sign = ELSEWHERE.search(named) or ELSEWHERE.search(written) or re.search(r"(GOOGLE)_ACCESS_KEY", keys)
        if address is None and sign is None:
            continue
        store = (address or sign)[1].lower()  # type: ignore[index]
        wanted = ENDPOINTS.get(store, "the endpoint of that store")
        tell = error if address is not None else warning
        yield tell(
            f"the mount of {written or 'a bucket'} has no bucket_endpoint_url, and {store} is not S3",
            f'add bucket_endpoint_url="{wanted}"' + (" and give the bucket's bare name" if address else ""),
            call.where,
            why="the mount asks S3 for a bucket of that name",
        )


def _mounts(recipe: Recipe) -> list[Call]:
    return [c for c in recipe.calls if c.name == "modal.CloudBucketMount"]


CHECK = rule(
    id="RES671",
    name="sto-bucket-endpoint-missing",
    title="a bucket that is not on S3 names its endpoint",
    find=find,
    applies=applies,
)
