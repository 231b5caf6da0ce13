import os

import modal

app = modal.App("x")
DAY = 24 * 60 * 60
HOURS = int(os.environ["HOURS"])


@app.function(timeout=DAY)
def train():
    pass


@app.function(timeout=HOURS * 3600 * 100)
def unknown():
    pass


@app.function()
def default():
    import subprocess

    subprocess.run(["sleep", "1"], timeout=200_000)
