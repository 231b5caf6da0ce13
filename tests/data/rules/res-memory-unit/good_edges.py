import os

import modal

app = modal.App("x")


@app.function(memory=0, cpu=0.1)
def a(): ...


@app.function(memory=None)
def b(): ...


@app.function(memory=int(os.environ["MIB"]), cpu=os.cpu_count())
def c(): ...
