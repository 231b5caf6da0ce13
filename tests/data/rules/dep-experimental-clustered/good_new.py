import modal

app = modal.App("x")


@app.function(gpu="H100:8")
@modal.clustered(size=2)
def a():
    pass


@app.function()
@modal.concurrent(max_inputs=4)
def b():
    pass
