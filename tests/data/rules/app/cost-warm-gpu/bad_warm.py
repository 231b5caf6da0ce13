import modal

app = modal.App("x")


@app.cls(gpu="B200", min_containers=1)  # expect: cost-warm-gpu
class A:
    pass


@app.cls(gpu="B200", scaledown_window=1800)  # expect: cost-warm-gpu
class B:
    pass
