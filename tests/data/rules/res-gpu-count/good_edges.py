import modal

app = modal.App("x")


@app.function(gpu="H100:1")
def a(): ...


@app.function(gpu=["any:8", "RTX4090:99", "T4"])
def b(): ...
