import modal

app = modal.App("x")


@app.function(gpu="A100-80GB", timeout=86400)
def train():
    from preflight.guard import guard

    fit(guard(model(), hours=24))


@app.function(gpu="A100-80GB", timeout=600)
def train_for_ten_minutes():
    fit()


@app.function(gpu="A100-80GB", timeout=86400)
def serve():
    answer()
