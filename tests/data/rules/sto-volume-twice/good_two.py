import modal

app = modal.App("x")
a = modal.Volume.from_name("a", create_if_missing=True)
b = modal.Volume.from_name("b", create_if_missing=True)
bucket = modal.CloudBucketMount("d", secret=modal.Secret.from_name("s"))


@app.function(volumes={"/data": a, "/cache": b, "/x": bucket, "/y": bucket})
def f():
    pass
