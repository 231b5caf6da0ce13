import os

import modal

app = modal.App("x")


@app.function(scaledown_window=2, min_containers=3)
def a(): ...


@app.function(scaledown_window=int(os.environ["WINDOW"]), max_containers=0)
def b(): ...


modal.Sandbox.create(app=app, scaledown_window=9999)
