import modal

app = modal.App("x")


@app.function(nonpreemptible=True)
def a():
    pass


@app.function(gpu="H100", nonpreemptible=False)
def b():
    pass
