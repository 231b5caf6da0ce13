import modal

app = modal.App("x")


@app.function(
    memory="32GB",  # expect: res-memory-unit
    cpu="8",  # expect: res-memory-unit
)
def a():
    pass


@app.function(memory=32)  # expect: res-memory-unit
def b():
    pass
