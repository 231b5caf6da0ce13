import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++", "MAX_JOBS": "4"})
    .pip_install("torch==2.4.1", "packaging", "wheel")
    .pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8", extra_options="--no-build-isolation")
    .env({"HF_HOME": "/cache", "CXX": "g++"})
)
plain = modal.Image.debian_slim(python_version="3.11").pip_install("numpy").env({"CXX": "g++"})
app = modal.App("a", image=image)
