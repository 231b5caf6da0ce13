import os

import modal

BUCKET = os.environ["BUCKET"]  # expect: app-environ-index-at-import
app = modal.App("a")


@app.function(
    gpu=os.environ["GPU"],  # expect: app-environ-index-at-import
)
def f():
    return os.environ["OTHER"]
