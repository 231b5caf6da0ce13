import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.2.2")
    .pip_install("mamba-ssm==2.2.2", "causal-conv1d==1.4.0", extra_options="--no-build-isolation")
    .run_commands("pip install --no-build-isolation -c constraints.txt flash-attn", "pip install numpy")
    .pip_install("git+https://github.com/state-spaces/mamba@v2.2.2", extra_options="--no-build-isolation")
)
app = modal.App("a", image=image)
