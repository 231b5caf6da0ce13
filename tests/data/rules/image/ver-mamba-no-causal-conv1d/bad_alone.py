import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.2.2")
    .pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")  # expect: ver-mamba-no-causal-conv1d
    .pip_install("einops")
)
app = modal.App("a", image=image)
