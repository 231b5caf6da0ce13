import modal
from shared.images import image as base, TIMEOUT, make_image
from shared import volumes
import shared.images
from .pkg.near import near_image
from elsewhere import unknown_image

app = modal.App("several")
image = base.pip_install("own")


@app.function(image=image, timeout=TIMEOUT, volumes=volumes.MOUNTS)
def a():
    pass


@app.function(image=shared.images.image)
def b():
    pass


@app.function(image=near_image)
def c():
    pass


@app.function(image=unknown_image)
def d():
    pass


@app.function(image=make_image("torch"), secrets=[unknown_secret()])
def e():
    pass


@app.function(image=modal.Image.debian_slim().pip_install_from_requirements("requirements.txt"))
def f():
    pass


@app.function(image=modal.Image.debian_slim().pip_install_from_pyproject("pyproject.toml", optional_dependencies=["gpu"]))
def g():
    pass
