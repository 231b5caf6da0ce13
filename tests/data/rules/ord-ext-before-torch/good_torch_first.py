import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel", "setuptools", "ninja")
    .pip_install("causal-conv1d==1.5.0.post8", "mamba-ssm==2.2.4", extra_options="--no-build-isolation")
)
brought = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("accelerate", "wheel")
    .run_commands("CXX=g++ pip install --no-build-isolation flash-attn==2.6.3")
)
base = modal.Image.from_registry("pytorch/pytorch:2.4.1-cuda12.4-cudnn9-devel").run_commands("pip install --no-build-isolation flash-attn==2.6.3")
app = modal.App("a", image=image)
