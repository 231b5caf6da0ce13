import os

import modal

app = modal.App("x")


@app.function(gpu=None, nonpreemptible=True)
def a(): ...


@app.function(gpu=os.environ.get("GPU"), nonpreemptible=True)
def b(): ...


@app.function(gpu=[], nonpreemptible=True)
def c(): ...
