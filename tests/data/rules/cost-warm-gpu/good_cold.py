import modal

app = modal.App("x")


@app.cls(gpu="B200", min_containers=0, scaledown_window=120)
class A:
    pass


@app.cls(min_containers=3)
class B:
    pass
