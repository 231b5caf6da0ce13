import modal

image = (
    modal.Image.from_registry("nvidia/cuda:13.0.1-devel-ubuntu22.04", add_python="3.12")
    .env({"CXX": "g++"})
    .pip_install("torch==2.13.0", "packaging", "wheel", "setuptools", "ninja")
    .pip_install("causal-conv1d==1.6.1", "mamba-ssm==2.3.2.post1", extra_options="--no-build-isolation")  # expect: tool-split-compile
)
app = modal.App("a", image=image)
