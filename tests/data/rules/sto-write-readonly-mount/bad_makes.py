import modal

app = modal.App("x")
bucket = modal.CloudBucketMount("d", secret=modal.Secret.from_name("s"), read_only=True)


@app.function(volumes={"/data": bucket})
def f():
    import os

    os.makedirs("/data/cache", exist_ok=True)  # expect: sto-write-readonly-mount

# What the rule says of this file:
# 11:5 info: '/data/cache' is written below a read-only mount
#     why: the run stops there with 'Read-only file system'
#     remedy: write elsewhere, or mount without read_only=True
