import modal

app = modal.App("x")


@app.function(ephemeral_disk=4 * 1024 * 1024)  # expect: res-ephemeral-disk
def a():
    pass


@app.function(ephemeral_disk=100)  # expect: res-ephemeral-disk
def b():
    pass
