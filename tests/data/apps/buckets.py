import modal

app = modal.App("buckets")
PREFIX = "runs/"
secret = modal.Secret.from_name("aws-s3-secret", required_keys=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
results = modal.Volume.from_name("results", create_if_missing=True, environment_name="prod")
bucket = modal.CloudBucketMount("training-data", secret=secret, key_prefix=PREFIX, read_only=True)


def mount(name, path="in/"):
    return modal.CloudBucketMount(bucket_name=name, key_prefix=path, bucket_endpoint_url="https://r2.example", secret=secret)


@app.function(
    volumes={
        "/data": bucket,
        "/in": mount("helper-bucket"),
        "/inline": modal.CloudBucketMount(bucket_name="public", oidc_auth_role_arn="arn:aws:iam::1:role/x"),
        "/results": results,
        "/ro": results.read_only(),
    },
    schedule=modal.Cron("0 6 * * *"),
    startup_timeout=300,
)
def load():
    pass
