import modal

app = modal.App("x")


@app.function(memory=(1024, 32768), cpu=(0.125, 8.0))
def a():
    pass


@app.function(memory=128, cpu=1)
def b():
    pass
