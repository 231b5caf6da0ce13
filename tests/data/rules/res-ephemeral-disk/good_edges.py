import os

import modal

app = modal.App("x")


@app.function(ephemeral_disk=3145728)
def a(): ...


@app.function(ephemeral_disk=524288)
def b(): ...


@app.function(ephemeral_disk=os.environ["DISK"])
def c(): ...
