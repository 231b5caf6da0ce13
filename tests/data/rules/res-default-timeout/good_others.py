import modal

app = modal.App("x")
OPTIONS = make_options()


@app.function(gpu="H100", timeout=3600)
def train(epochs: int = 10):
    run(epochs)


@app.function()
def train_on_cpu():
    run()


@app.function(gpu="H100", **OPTIONS)
def train_with_options():
    run()


@app.function(gpu="H100")
def retrain():
    run()


@app.local_entrypoint()
def main():
    retrain.with_options(timeout=7200).remote()


@app.function(gpu="T4")
@modal.fastapi_endpoint()
def train_status():
    return run()


@app.function(gpu="T4")
def predict(x):
    model.train(False)
    return model(x)
