import modal

TIMEOUT = 10 * 60
image = modal.Image.micromamba(python_version="3.11").micromamba_install("cuda", channels=["nvidia"]).pip_install("numpy")


def make_image(*names):
    return modal.Image.debian_slim().pip_install(*names)
