import modal

app = modal.App("x")


@app.function(gpu="A100-80GB", timeout=86400)  # expect: cost-no-guard
def train():
    fit()
