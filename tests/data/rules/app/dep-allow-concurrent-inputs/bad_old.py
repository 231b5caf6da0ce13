import modal

app = modal.App("x")


@app.cls(gpu="A100", allow_concurrent_inputs=10)  # expect: dep-allow-concurrent-inputs
class M:
    pass
