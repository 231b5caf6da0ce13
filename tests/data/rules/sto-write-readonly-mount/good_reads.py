import modal

app = modal.App("x")
bucket = modal.CloudBucketMount("d", secret=modal.Secret.from_name("s"), read_only=True)


@app.function(volumes={"/data": bucket})
def f():
    import os

    os.makedirs("/tmp/cache", exist_ok=True)
    open("/data/x").read()
