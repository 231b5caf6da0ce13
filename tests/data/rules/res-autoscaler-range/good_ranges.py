import modal

app = modal.App("x")


@app.function(scaledown_window=3600, min_containers=1, max_containers=1)
def a():
    pass
