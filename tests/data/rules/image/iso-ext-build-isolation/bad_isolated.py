import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel")
    .pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8")  # expect: iso-ext-build-isolation
    .uv_pip_install("flash-attn==2.6.3")  # expect: iso-ext-build-isolation
    .run_commands("pip install git+https://github.com/NVlabs/nvdiffrast@v0.3.3")  # expect: iso-ext-build-isolation
)
app = modal.App("a", image=image)
