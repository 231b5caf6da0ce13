"""Volumes and buckets: how they are mounted, and what is written below."""

import ast
import posixpath
import re
from pathlib import PurePosixPath

from preflight.api import Call, Findings, Function, Recipe, Subject, advice, app, error, rule, warning
from preflight.rules.subjects import BUCKET_MOUNTS, CALLS, FUNCTIONS, RESOURCE_CALLS, syntax, with_keyword

NAMED = CALLS.only(lambda c: c.name in ("modal.Volume.from_name", "modal.NetworkFileSystem.from_name"), "named volume")
TAKEN = ("/", "/root", "/tmp")
WHY = "InvalidError when the file is imported"
MOUNTED: Subject[tuple[Call, str, str]] = Subject(
    lambda recipe: (
        (call, keyword, path)
        for call in RESOURCE_CALLS.of(recipe)
        for keyword in ("volumes", "network_file_systems")
        for mounted in (call.kwargs.get(keyword),)
        for path in (mounted if isinstance(mounted, dict) else ())
        if isinstance(path, str) and not path.startswith("<line ")
    ),
    "mount",
)
MOUNTING = RESOURCE_CALLS.only(lambda c: isinstance(c.kwargs.get("volumes"), dict), "call with volumes")
WRITERS = re.compile(r"^(?:np|numpy)\.savez(?:_compressed)?$|^torch\.save$|(?:^|\.)SummaryWriter$")
REWRITES = re.compile(r"^(?:a|r\+|w\+|x\+|rb\+|wb\+|ab|a\+)")
OF_A_PATH = ("mkdir", "write_text", "write_bytes", "touch")
MAKES = re.compile(r"^os\.(?:makedirs|mkdir)$|^torch\.save$|^(?:np|numpy)\.save")
ELSEWHERE = re.compile(r"(?:^|[-_ ])(gcs|gcp|gs|google|r2|cloudflare|minio|backblaze|wasabi)(?:$|[-_ ])", re.I)
ADDRESS = re.compile(r"^(gs|r2|https?)://(?![^/]*\.amazonaws\.com)", re.I)
GOOGLE_KEY = re.compile(r"(GOOGLE)_ACCESS_KEY")
GCS, R2 = "https://storage.googleapis.com", "https://<account id>.r2.cloudflarestorage.com"
ENDPOINTS = {"gcs": GCS, "gcp": GCS, "gs": GCS, "google": GCS, "r2": R2, "cloudflare": R2}
SCHEME = re.compile(r"^(?:arn:[^:]*:[^:]*:[^:]*:[^:]*:|[a-z0-9]+://)", re.I)
HOST = re.compile(r"\.s3[.-][\w.-]*amazonaws\.com$")
WRONG = re.compile(r"^(?:arn:|[a-z0-9]+://)|/|\.amazonaws\.com", re.I)
WITH_SECRET = BUCKET_MOUNTS.only(lambda c: isinstance(c.kwargs.get("secret"), app.SecretRef), "bucket secret")


@rule("RES710", NAMED)
def sto_volume_not_created(recipe: Recipe, call: Call) -> Findings:
    """A Volume exists, or is made when it is missing.

    Looks at: `Volume.from_name` and `NetworkFileSystem.from_name` without `create_if_missing=`.
    Why it matters: In an environment where nobody made it, the app stops at its start with NotFound.
    Example:
        before   modal.Volume.from_name("checkpoints")
        after    modal.Volume.from_name("checkpoints", create_if_missing=True)
    How to fix: Add `create_if_missing=True`, or make the Volume once with `modal volume create`.
    Source: modal 1.6.4 Volume.from_name.
    """
    if "create_if_missing" in call.kwargs or call.has_spread or len(call.args) > 1:
        return
    name = call.given("name", 0) or call.kwargs.get("label")
    yield advice(
        f"the Volume {repr(str(name)) if isinstance(name, str) else 'of that name'} must exist already: "
        "create_if_missing is not given",
        "add create_if_missing=True, or make it once with `modal volume create`",
        call.where,
    )


@rule("RES690", MOUNTED)
def sto_volume_path(recipe: Recipe, mount: tuple[Call, str, str]) -> Findings:
    """Volumes are mounted at paths the client accepts.

    Looks at: The keys of `volumes=` and `network_file_systems=`: absolute and canonical, and not `/`, `/root` or
        `/tmp`.
    Why it matters: The client refuses any other when the file is imported: nothing of the app runs.
    Example:
        before   @app.function(volumes={"data": vol})
        after    @app.function(volumes={"/data": vol})
    How to fix: Mount below `/`, at an absolute path without `..`, such as `/data`.
    Source: modal 1.6.4 _utils/mount_utils.py validate_mount_points (a trailing slash is fine; measured).
    """
    call, keyword, path = mount
    tree, plain, written = syntax(recipe), str(PurePosixPath(path)) if path else ".", app.keyword_node(call, keyword)
    keys = written.value.keys if written is not None and isinstance(written.value, ast.Dict) else []
    here = keys if call.where.path == recipe.source.path else []
    node = next((k for k in here if isinstance(k, ast.Constant) and k.value == path), None)
    where = tree.where(node) if node is not None else app.keyword_where(recipe, call, keyword)
    if plain in TAKEN:
        message = f"a mount at {path!r}: the client refuses {', '.join(TAKEN)}"
        yield error(message, "mount it below, such as /data", where, why=WHY)
    elif plain != posixpath.normpath(plain) or not plain.startswith("/") or plain.startswith("//"):
        wanted = posixpath.normpath("/" + plain.lstrip("/"))
        is_taken, literal = wanted in TAKEN, app.quoted_like(tree.text(node), wanted) if node is not None else ""
        span = tree.span(node) if node is not None and not is_taken else None
        yield error(
            f"a mount at {path!r}; wanted an absolute path without '..'",
            "mount it below /, such as /data" if is_taken else f"write {wanted!r}",
            where,
            why=WHY,
            fix=app.replaced(recipe.source.path, span, literal, is_safe=True),
        )


@rule("RES691", MOUNTING)
def sto_volume_twice(recipe: Recipe, call: Call) -> Findings:
    """No Volume is mounted at two paths of one function.

    Looks at: `volumes=` of each function: the same Volume (by its name, or by the same variable) under two paths.
    Why it matters: The client refuses it when the file is imported or the app is deployed. A bucket mount may stand
        twice.
    Example:
        before   volumes={"/data": vol, "/cache": vol}
        after    volumes={"/data": vol}   # and /data/cache
    How to fix: Mount it at one path and use folders below.
    Source: modal 1.6.4 _utils/mount_utils.py validate_volumes and validate_volumes_by_object_id.
    """
    places: dict[tuple[str, str | None], list[str]] = {}
    mounted = call.kwargs["volumes"]
    for path, each in mounted.items() if isinstance(mounted, dict) else ():
        if isinstance(each, app.VolumeRef) and each.kind == "volume" and each.name:
            places.setdefault((each.name, each.environment), []).append(str(path).rstrip("/"))
    for (name, _), paths in places.items():
        if len(set(paths)) > 1:
            yield error(
                f"the Volume {name!r} is mounted at {' and '.join(paths)}; one function may mount it once",
                "mount it at one path and use folders below",
                app.keyword_where(recipe, call, "volumes"),
                why="the client raises InvalidError before anything runs",
            )


@rule("RES700", FUNCTIONS.only(lambda f: f.mounts, "function with a bucket mount"))
def sto_bucket_write_mode(recipe: Recipe, function: Function) -> Findings:
    """Nothing is written to a bucket mount in a way it does not support.

    Looks at: Functions with a bucket mount: `open(…, "a")`, "r+" and "w+", `np.savez`, `SummaryWriter` and `torch.save`
        on a path below the mount.
    Why it matters: A bucket mount writes whole objects from front to back. Appending and seeking fail with an
        input/output error, in the middle of the run.
    Example:
        before   open("/bucket/log.txt", "a").write(line)
        after    open("/tmp/log.txt", "a").write(line)   # copied to /bucket when it is whole
    How to fix: Write to local disk or a Volume, and copy the file to the bucket when it is complete.
    Source: modal.com/docs/guide/cloud-bucket-mounts (mountpoint for S3: sequential writes of new files only).
    """
    for call in app.calls_in(*app.defs_of(function)) if function.where.path == recipe.source.path else ():
        name, how = app.dotted(call.func), ""
        modes = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]
        if WRITERS.search(name):
            how = f"{name}()"
        elif name == "open" and modes and REWRITES.match(mode := app.text_of(modes[0])):
            how = f"open(…, {mode!r})"
        below = next(
            (text for s in app.strings_in(call) if _is_below(text := str(s.value), function.mounts_at())), None
        )
        if how and below is not None:
            yield warning(
                f"{how} writes to {below!r}, below a bucket mount: it takes whole files, front to back",
                "write it to local disk or a Volume, and copy it to the bucket when it is complete",
                syntax(recipe).where(call),
                why="the write fails with an input/output error in the middle of the run",
            )


def _is_below(text: str, paths: tuple[str, ...]) -> bool:
    return any(text == path or text.startswith(path + "/") for path in paths)


@rule("RES701", FUNCTIONS.only(lambda f: any(m.is_read_only for m in f.mounts), "function with a read-only mount"))
def sto_write_readonly_mount(recipe: Recipe, function: Function) -> Findings:
    """Nothing is written below a read-only mount.

    Looks at: Functions with a bucket mount of `read_only=True`: `open(…, "w")`, `mkdir`, `os.makedirs` and `torch.save`
        with a path below it.
    Why it matters: The write fails with "Read-only file system" when the run gets there.
    Example:
        before   os.makedirs("/data/cache", exist_ok=True)
        after    os.makedirs("/tmp/cache", exist_ok=True)
    How to fix: Write to another path, or mount without `read_only=True`.
    Source: modal 1.6.4 CloudBucketMount(read_only=True).
    """
    for call in app.calls_in(*app.defs_of(function)) if function.where.path == recipe.source.path else ():
        name, texts, target = app.dotted(call.func), [app.text_of(a) for a in call.args], ""
        if name == "open" and len(texts) > 1 and texts[1][:1] in ("w", "a", "x"):
            target = texts[0]
        elif MAKES.search(name):
            target = next((t for t in texts if t.startswith("/")), "")
        elif isinstance(call.func, ast.Attribute) and call.func.attr in OF_A_PATH:
            path = call.func.value
            if isinstance(path, ast.Call) and app.dotted(path.func).endswith("Path") and len(path.args) == 1:
                target = app.text_of(path.args[0])
        if target and _is_below(target, function.mounts_at(is_read_only=True)):
            yield advice(
                f"{target!r} is written below a read-only mount",
                "write elsewhere, or mount without read_only=True",
                syntax(recipe).where(call),
                why="the run stops there with 'Read-only file system'",
            )


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
