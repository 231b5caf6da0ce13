import modal

import good_model

image = modal.Image.debian_slim(python_version="3.11").add_local_python_source("good_model")
app = modal.App("a", image=image)


@app.function()
def f():
    return good_model.net(1)


def g(x):
    return x
