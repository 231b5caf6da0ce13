import modal

app = modal.App("x")


@app.function(gpu="A100-80GB")
def train():
    import shutil

    shutil.copytree("/mnt/s3", "/data")
    fit("/data")


@app.function()
def sync():
    import shutil

    shutil.copytree("/mnt/s3", "/data")
