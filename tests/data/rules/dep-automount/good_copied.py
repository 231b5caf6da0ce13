from pathlib import Path

import modal

import good_model

image = modal.Image.debian_slim(python_version="3.11").add_local_dir(Path(__file__).parent, "/root")
app = modal.App("a", image=image)


@app.function()
def f():
    return good_model.net(1)
