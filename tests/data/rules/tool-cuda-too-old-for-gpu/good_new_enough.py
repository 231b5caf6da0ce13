import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.8.0")
old = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0")
cpu = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0", index_url="https://download.pytorch.org/whl/cpu")
app = modal.App("a", image=image)


@app.function(gpu="B200")
def one():
    pass


@app.function(gpu="H100", image=old)
def two():
    pass
