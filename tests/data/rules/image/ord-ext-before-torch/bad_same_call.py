import modal

image = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").env({"CC": "gcc", "CXX": "g++"})
image = image.pip_install("torch==2.4.1", "mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8", extra_options="--no-build-isolation")  # expect: ord-ext-before-torch
app = modal.App("a", image=image)
