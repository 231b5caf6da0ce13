import modal

app = modal.App("x")
vol = modal.Volume.from_name("ckpt", create_if_missing=True)


@app.function(gpu="H100", timeout=86400, volumes={"/ckpt": vol})
def train():
    fit()


@app.function(gpu="H100", timeout=3600)
def train_short():
    fit()
