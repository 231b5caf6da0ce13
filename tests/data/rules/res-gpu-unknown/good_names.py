import os

import modal

app = modal.App("x")


@app.function(gpu="h100!:8")
def a():
    pass


@app.function(gpu=["any", "A10G", "l40s:1", "B200+", "A100-80GB:4", "RTX-PRO-6000"])
def b():
    pass


@app.function(gpu=os.environ["GPU"])
def c():
    pass


@app.function(gpu=None)
def d():
    pass
