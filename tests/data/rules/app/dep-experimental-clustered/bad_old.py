import modal

app = modal.App("x")


@app.function(gpu="H100:8")
@modal.experimental.clustered(size=2)  # expect: dep-experimental-clustered
def a():
    pass


@app.function(max_inputs=1)  # expect: dep-experimental-clustered
def b():
    pass
