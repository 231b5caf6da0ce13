import modal
from flask import Flask

app = modal.App("x")
image = modal.Image.from_registry("ubuntu:22.04", secrets=[modal.Secret.from_name("s")])
OPTIONS = {"cpu": 2}


@app.function(image=image, _experimental_restrict_output=True, **OPTIONS)
def f(x, y=1):
    pass


@app.function()
@modal.wsgi_app()
def web():
    app = Flask("web")
    app.run(host="0.0.0.0", port=80)
    return app


@app.local_entrypoint()
def main():
    f.remote(1, whatever=2)
    modal.Function.from_name("a", "b").remote(anything=1)
