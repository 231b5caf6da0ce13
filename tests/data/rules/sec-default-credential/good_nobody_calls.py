import os

import modal

TOKEN = "1234"
app = modal.App("a")


@app.function()
def f():
    return os.environ.get("API_KEY", "none"), TOKEN
