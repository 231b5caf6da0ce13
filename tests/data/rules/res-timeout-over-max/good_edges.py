import modal

app = modal.App("x")


@app.function(timeout=10)
def a(): ...


@app.function(timeout=86400)
def b(): ...


modal.Sandbox.create(app=app, timeout=None)
