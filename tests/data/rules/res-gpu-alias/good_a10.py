import modal

app = modal.App("x")


@app.function(gpu="A10")
def a():
    pass
