import modal

app = modal.App("x")


@app.function(gpu="H100!:8")
def a():
    pass


@app.function(gpu="A10:4")
def b():
    pass
