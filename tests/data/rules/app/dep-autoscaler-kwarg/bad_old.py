import modal

app = modal.App("x")


@app.function(
    keep_warm=1,  # expect: dep-autoscaler-kwarg
    container_idle_timeout=300,  # expect: dep-autoscaler-kwarg
)
def a():
    pass
