import os

import modal

image = modal.Image.debian_slim(python_version="3.12").pip_install("torch")
weights = modal.Volume.from_name("weights")
app = modal.App("spreads")

COMMON = {"image": image, "timeout": 600, "volumes": {"/weights": weights}}
if os.environ.get("PROXY"):
    COMMON["secrets"] = [modal.Secret.from_name("proxy")]

extra = dict(COMMON)
extra.update(gpu="L4", retries=2)


def options(gpu=None, *, hours: float = 1, **more):
    kwargs = {"image": image, "timeout": int(hours * 3600), **more}
    if gpu is not None:
        kwargs["gpu"] = gpu
    return kwargs


source = os.environ.get("SOURCE", "s3://lake/raw")
bucket, _, prefix = source.removeprefix("s3://").partition("/")
where = {"bucket_name": bucket}
if prefix:
    where["key_prefix"] = prefix + "/"

elsewhere = {"bucket_name": "lake"}
if unknown():
    elsewhere["key_prefix"] = "cooked/"


@app.function(**COMMON)
def conditional():
    pass


@app.function(**extra, memory=2048)
def updated():
    pass


@app.function(**options(hours=0.5))
def plain():
    pass


@app.function(**options("A100", hours=24, cpu=4.0))
def large():
    pass


@app.function(**COMMON | {"timeout": 60})
def merged():
    pass


@app.function(**foreign.options, timeout=60)
def open_end():
    pass


@app.function(volumes={"/lake": modal.CloudBucketMount(**where), "/other": modal.CloudBucketMount(**elsewhere)})
def mounts():
    pass


@app.function(volumes={"/lake": modal.CloudBucketMount("named", **foreign.mount)})
def half_known():
    pass


settings = dict([("gpu", "T4"), ("timeout", 30)])
taken = settings.pop("timeout")
settings.setdefault("retries", 1)


@app.function(**settings, startup_timeout=taken)
def popped():
    pass
