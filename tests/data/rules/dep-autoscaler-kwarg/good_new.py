import modal

app = modal.App("x")


@app.function(min_containers=1, scaledown_window=300)
def a(keep_warm=1):
    other(keep_warm=2)
