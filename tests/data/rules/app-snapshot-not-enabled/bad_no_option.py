import modal

app = modal.App("a", image=modal.Image.debian_slim(python_version="3.12"))


@app.cls(gpu="A100")
class Model:
    @modal.enter(snap=True)  # expect: app-snapshot-not-enabled
    def load(self): ...

# What the rule says of this file:
# 8:12 error: enter(snap=True) in Model, which has no enable_memory_snapshot=True
#     why: an InvalidError when the file is imported: nothing of the app runs
#     remedy: add enable_memory_snapshot=True to the class's decorator, or leave snap=True out
