import modal

app = modal.App("x")


@app.cls(gpu="A100")
@modal.concurrent(max_inputs=10)
class M:
    pass
