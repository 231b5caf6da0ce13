import modal

app = modal.App("x")
N = 16


@app.function(gpu=f"H100:{N}")  # expect: res-gpu-count
def a():
    pass


@app.function(gpu="A10G:8")  # expect: res-gpu-count
def b():
    pass


@app.function(gpu="A100:two")  # expect: res-gpu-count
def c():
    pass
