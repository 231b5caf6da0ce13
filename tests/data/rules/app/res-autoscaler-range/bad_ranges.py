import modal

app = modal.App("x")


@app.function(scaledown_window=2 * 3600)  # expect: res-autoscaler-range
def a():
    pass


@app.function(
    min_containers=4,  # expect: res-autoscaler-range
    max_containers=2,
)
def b():
    pass
