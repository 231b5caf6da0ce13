import modal

base = modal.Image.debian_slim("3.12").pip_install("numpy")
vllm_image = base.pip_install("vllm")
image = base.apt_install("git")
image = image.env({"A": "1"})


app = modal.App("versions")


@app.function(image=image, gpu="any")
def early():
    pass


image = image.pip_install("late")


@app.function(image=image, gpu=["h100!:8", "A100-80GB:8"])
def later():
    pass


@app.function(image=vllm_image, gpu="l4")
def serve():
    pass


@app.function(image=modal.Image.debian_slim().pip_install("torch"), gpu=None)
def inline():
    pass
