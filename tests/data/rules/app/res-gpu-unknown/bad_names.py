import modal

app = modal.App("x")
KIND = "RTX4090"


@app.function(gpu="A100-80")  # expect: res-gpu-unknown
def a():
    pass


@app.function(gpu=f"{KIND}:2")  # expect: res-gpu-unknown
def b():
    pass


@app.function(gpu=["H100", "V100"])  # expect: res-gpu-unknown
def c():
    pass
