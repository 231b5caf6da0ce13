import os

import modal

base = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").pip_install("torch==2.4.1", "packaging", "wheel")
a = base.env({"TORCH_CUDA_ARCH_LIST": "8.0"}).pip_install("pytorch3d", extra_options="--no-build-isolation")
b = base.env({"TORCH_CUDA_ARCH_LIST": "8.0+PTX"}).pip_install("pytorch3d", extra_options="--no-build-isolation")
c = base.env({"TORCH_CUDA_ARCH_LIST": "Ampere;Hopper"}).pip_install("pytorch3d", extra_options="--no-build-isolation")
d = base.pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
app = modal.App("a", image=a)


@app.function(gpu="L4", image=a)
def one():
    pass


@app.function(gpu="H100", image=b)
def two():
    pass


@app.function(gpu="H100", image=c)
def three():
    pass


@app.function(gpu=os.environ["GPU"], image=d)
def four():
    pass
