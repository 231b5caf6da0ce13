import modal

app = modal.App("x")


@app.function(gpu="H100", timeout=86400)  # expect: cost-no-checkpoint
def train():
    fit()
