import modal

app = modal.App("x")


@app.function(gpu="A10G:2")  # expect: res-gpu-alias
def a():
    pass
