import modal

app = modal.App("x")


@app.function(gpu="H100", nonpreemptible=True)  # expect: res-nonpreemptible-gpu
def a():
    pass
