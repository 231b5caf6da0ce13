import modal

app = modal.App("x")


@app.function(
    timeout=3600,
    gpu="A100-80GB",  # expect: cost-gpu-on-cpu-work
)
def sync():
    import os
    import shutil

    for name in os.listdir("/mnt/s3"):
        shutil.copy2(os.path.join("/mnt/s3", name), "/data")
    print("done")
