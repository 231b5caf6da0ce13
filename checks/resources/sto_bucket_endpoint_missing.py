"""A bucket that is not on S3 names its endpoint.

Looks at
    `CloudBucketMount` whose bucket, variable, secret or endpoint names Google Cloud Storage or Cloudflare R2,
    without `bucket_endpoint_url=`; and a GCS mount whose secret is asked for AWS keys.
Why it matters
    Without an endpoint the mount asks S3 for a bucket of that name, which does not exist or belongs to somebody
    else.
Example
    before   modal.CloudBucketMount("gs-data", secret=modal.Secret.from_name("gcp-hmac"))
    after    modal.CloudBucketMount(
                 "gs-data",
                 bucket_endpoint_url="https://storage.googleapis.com",
                 secret=modal.Secret.from_name("gcp-hmac"),
             )
How to fix
    Add `bucket_endpoint_url=` with the store's address, and give the bucket's bare name.
Source
    modal 1.6.4 cloud_bucket_mount.py: no endpoint means S3; its examples name the endpoints of R2 and GCS.
"""

import re

from preflight.api import Call, Findings, Recipe, app, error, rule, warning
from preflight.rules.subjects import BUCKET_MOUNTS

ELSEWHERE = re.compile(r"(?:^|[-_ ])(gcs|gcp|gs|google|r2|cloudflare|minio|backblaze|wasabi)(?:$|[-_ ])", re.I)
ADDRESS = re.compile(r"^(gs|r2|https?)://", re.I)
GOOGLE_KEY = re.compile(r"(GOOGLE)_ACCESS_KEY")
GCS, R2 = "https://storage.googleapis.com", "https://<account id>.r2.cloudflarestorage.com"
ENDPOINTS = {"gcs": GCS, "gcp": GCS, "gs": GCS, "google": GCS, "r2": R2, "cloudflare": R2}


@rule("RES671", BUCKET_MOUNTS)
def find(recipe: Recipe, call: Call) -> Findings:
    bucket = call.args[0] if call.args else call.kwargs.get("bucket_name")
    endpoint = call.kwargs.get("bucket_endpoint_url", call.args[1] if len(call.args) > 1 else None)
    if endpoint is not None or call.has_spread:
        return
    written = str(bucket) if isinstance(bucket, str) else ""
    secret = call.kwargs.get("secret")
    name, keys = (secret.name or "", " ".join(secret.required_keys)) if isinstance(secret, app.SecretRef) else ("", "")
    address = ADDRESS.match(written)
    sign = address or ELSEWHERE.search(name) or ELSEWHERE.search(written) or GOOGLE_KEY.search(keys)
    if sign is None:
        return
    store = sign[1].lower()
    wanted = ENDPOINTS.get(store, "the endpoint of that store")
    tell = error if address is not None else warning
    yield tell(
        f"the mount of {written or 'a bucket'} has no bucket_endpoint_url, and {store} is not S3",
        f'add bucket_endpoint_url="{wanted}"' + (" and give the bucket's bare name" if address else ""),
        call.where,
        why="the mount asks S3 for a bucket of that name",
    )
