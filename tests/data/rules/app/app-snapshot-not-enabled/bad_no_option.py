import modal

app = modal.App("a", image=modal.Image.debian_slim(python_version="3.12"))


@app.cls(gpu="A100")
class Model:
    @modal.enter(snap=True)  # expect: app-snapshot-not-enabled
    def load(self): ...
