import modal

app = modal.App("x")


@app.function(ephemeral_disk=1024 * 1024)
def a():
    pass
