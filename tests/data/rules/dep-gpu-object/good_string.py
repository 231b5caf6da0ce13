import modal

app = modal.App("x")
gpu = "A100"


@app.function(gpu=gpu)
def a():
    return gpu.upper()
