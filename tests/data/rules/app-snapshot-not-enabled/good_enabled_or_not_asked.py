import modal

app = modal.App("a", image=modal.Image.debian_slim(python_version="3.12"))
OPTIONS = {"enable_memory_snapshot": True}


@app.cls(gpu="A100", enable_memory_snapshot=True)
class Enabled:
    @modal.enter(snap=True)
    def load(self): ...


@app.cls(gpu="A100")
class Plain:
    @modal.enter()
    def load(self): ...


@app.cls(gpu="A100", **OPTIONS)
class Spread:
    @modal.enter(snap=True)
    def load(self): ...
