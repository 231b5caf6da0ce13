"""How a bucket is mounted."""

import ast
import re

from preflight.api import Call, Findings, Recipe, advice, app, error, rule, warning
from preflight.rules.subjects import BUCKET_MOUNTS, syntax, with_keyword

ELSEWHERE = re.compile(r"(?:^|[-_ ])(gcs|gcp|gs|google|r2|cloudflare|minio|backblaze|wasabi)(?:$|[-_ ])", re.I)
ADDRESS = re.compile(r"^(gs|r2|https?)://(?![^/]*\.amazonaws\.com)", re.I)
GOOGLE_KEY = re.compile(r"(GOOGLE)_ACCESS_KEY")
GCS, R2 = "https://storage.googleapis.com", "https://<account id>.r2.cloudflarestorage.com"
ENDPOINTS = {"gcs": GCS, "gcp": GCS, "gs": GCS, "google": GCS, "r2": R2, "cloudflare": R2}


@rule("RES671", BUCKET_MOUNTS)
def sto_bucket_endpoint_missing(recipe: Recipe, call: Call) -> Findings:
    """A bucket that is not on S3 names its endpoint.

    Looks at: `CloudBucketMount` whose bucket, variable, secret or endpoint names Google Cloud Storage or Cloudflare R2,
        without `bucket_endpoint_url=`; and a GCS mount whose secret is asked for AWS keys.
    Why it matters: Without an endpoint the mount asks S3 for a bucket of that name, which does not exist or belongs to
        somebody else.
    Example:
        before   modal.CloudBucketMount("gs-data", secret=modal.Secret.from_name("gcp-hmac"))
        after    modal.CloudBucketMount(
                     "gs-data",
                     bucket_endpoint_url="https://storage.googleapis.com",
                     secret=modal.Secret.from_name("gcp-hmac"),
                 )
    How to fix: Add `bucket_endpoint_url=` with the store's address, and give the bucket's bare name.
    Source: modal 1.6.4 cloud_bucket_mount.py: no endpoint means S3; its examples name the endpoints of R2 and GCS.
    """
    bucket, secret = call.given("bucket_name", 0), call.kwargs.get("secret")
    if call.has_spread or call.given("bucket_endpoint_url", 1) is not None:
        return
    written = str(bucket) if isinstance(bucket, str) else ""
    name, keys = (secret.name or "", " ".join(secret.required_keys)) if isinstance(secret, app.SecretRef) else ("", "")
    address = ADDRESS.match(written)
    sign = address or ELSEWHERE.search(name) or ELSEWHERE.search(written) or GOOGLE_KEY.search(keys)
    if sign is None:
        return
    store = sign[1].lower()
    wanted = ENDPOINTS.get(store, "<address of that store>")
    tell, shown = error if address is not None else warning, "that address" if store.startswith("http") else store
    yield tell(
        f"the mount of {written or 'a bucket'} has no bucket_endpoint_url, and {shown} is not S3",
        f'add bucket_endpoint_url="{wanted}"' + (" and give the bucket's bare name" if address else ""),
        call.where,
        why="the mount asks S3 for a bucket of that name",
    )


SCHEME = re.compile(r"^(?:arn:[^:]*:[^:]*:[^:]*:[^:]*:|[a-z0-9]+://)", re.I)
HOST = re.compile(r"\.s3[.-][\w.-]*amazonaws\.com$")
WRONG = re.compile(r"^(?:arn:|[a-z0-9]+://)|/|\.amazonaws\.com", re.I)


@rule("RES672", BUCKET_MOUNTS)
def sto_bucket_name(recipe: Recipe, call: Call) -> Findings:
    """A bucket mount is given the bucket's bare name.

    Looks at: `bucket_name` that is an ARN, an address or a path.
    Why it matters: The name is used as it stands: no bucket is called `s3://data`, and the container stops at its
        start.
    Example:
        before   modal.CloudBucketMount("s3://data/train", secret=aws)
        after    modal.CloudBucketMount("data", key_prefix="train/", secret=aws)
    How to fix: Give the bare name, and the path below the bucket as `key_prefix=`.
    Source: modal.com/docs/guide/cloud-bucket-mounts; S3's naming rules: 3 to 63 of a-z, 0-9, '.' and '-'.
    """
    bucket = call.given("bucket_name", 0)
    if isinstance(bucket, str) and WRONG.search(bucket):
        name, _, path = SCHEME.sub("", str(bucket)).partition("/")
        bare, prefix = HOST.sub("", name), path.strip("/")
        yield error(
            f"bucket_name is {str(bucket)!r}; wanted the bare name",
            f"write {bare!r}" + (f" with key_prefix={prefix + '/'!r}" if prefix else ""),
            call.where,
            why="there is no bucket of that name; the container stops when it mounts it",
        )


@rule("RES670", BUCKET_MOUNTS)
def sto_bucket_no_secret(recipe: Recipe, call: Call) -> Findings:
    """A bucket mount has credentials.

    Looks at: `CloudBucketMount` with neither `secret=` nor `oidc_auth_role_arn=`.
    Why it matters: Without credentials only a public bucket can be read, and none can be written: the container stops
        at its start.
    Example:
        before   modal.CloudBucketMount("train-data")
        after    modal.CloudBucketMount("train-data", secret=modal.Secret.from_name("aws-s3-secret"))
    How to fix: Give `secret=modal.Secret.from_name(…)` with the bucket's keys. Leave it out only for a public bucket.
    Source: modal.com/docs/guide/cloud-bucket-mounts.
    """
    bucket, keywords = call.given("bucket_name", 0), ("secret", "oidc_auth_role_arn")
    if call.has_spread or len(call.args) > 3 or any(call.kwargs.get(k) is not None for k in keywords):
        return
    yield warning(
        f"the mount of {bucket if isinstance(bucket, str) else 'a bucket'} has neither secret= nor oidc_auth_role_arn=",
        "give secret=modal.Secret.from_name(…) with the bucket's keys; leave it out only for a public bucket",
        call.where,
        why="a private bucket answers 403 when the container starts, after the image build",
    )


@rule("RES660", BUCKET_MOUNTS.only(with_keyword("key_prefix"), "bucket prefix"))
def sto_bucket_prefix_no_slash(recipe: Recipe, call: Call) -> Findings:
    """A bucket mount's prefix ends in a slash.

    Looks at: `key_prefix=` of every `CloudBucketMount`.
    Why it matters: The prefix is put before each object's path, so the client refuses one without a slash: at deploy,
        not where the mount is written.
    Example:
        before   modal.CloudBucketMount("data", key_prefix="train", secret=aws)
        after    modal.CloudBucketMount("data", key_prefix="train/", secret=aws)
    How to fix: End the prefix with a slash.
    Source: modal 1.6.4 cloud_bucket_mount.py: ValueError from cloud_bucket_mounts_to_proto.
    """
    prefix, node = call.kwargs["key_prefix"], app.keyword_node(call, "key_prefix")
    if isinstance(prefix, str) and prefix and not prefix.endswith("/"):
        is_literal = node is not None and isinstance(node.value, ast.Constant)  # a name may be used elsewhere too
        literal = app.quoted_like(syntax(recipe).text(node.value), prefix + "/") if node is not None else ""
        fix = app.keyword_value(recipe.source, call, "key_prefix", literal, is_safe=True)
        yield error(
            f"key_prefix is {str(prefix)!r} and does not end in '/'",
            f"write {str(prefix) + '/'!r}",
            app.keyword_where(recipe, call, "key_prefix"),
            why="the client raises ValueError when the app is deployed or run",
            fix=fix if is_literal else None,
        )


WITH_SECRET = BUCKET_MOUNTS.only(lambda c: isinstance(c.kwargs.get("secret"), app.SecretRef), "bucket secret")


@rule("RES680", WITH_SECRET)
def sto_secret_keys(recipe: Recipe, call: Call) -> Findings:
    """A bucket's secret names the keys it must hold.

    Looks at: `Secret.from_name` without `required_keys=` that a bucket mount uses, and `Secret.from_dict` for a bucket
        that holds AWS_DEFAULT_REGION and no AWS_REGION.
    Why it matters: With `required_keys` Modal refuses a secret that lacks one when the app starts, before the image
        build and the GPU. The mount reads AWS_REGION; AWS_DEFAULT_REGION is for boto3 and the aws command.
    Example:
        before   modal.Secret.from_name("aws-s3-secret")
        after    modal.Secret.from_name(
                     "aws-s3-secret", required_keys=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
                 )
    How to fix: Add `required_keys=` with the keys that the mount reads, and name the region AWS_REGION.
    Source: modal 1.6.4 Secret.from_name; modal.com/docs/guide/cloud-bucket-mounts.
    """
    secret = call.kwargs["secret"]
    if not isinstance(secret, app.SecretRef):
        return
    made = next((c for c in recipe.calls if c.where == secret.where and c.name.endswith("from_name")), None)
    is_open = made is None or "required_keys" in made.kwargs or made.has_spread  # the text may not say which
    if secret.made_by == "from_name" and not secret.required_keys and not is_open:
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
