import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++", "MAMBA_FORCE_BUILD": "TRUE"})
    .pip_install("torch==2.4.1", "packaging", "wheel", "causal-conv1d==1.5.0.post8")
    .run_commands("pip install --no-build-isolation git+https://github.com/state-spaces/mamba.git")  # expect: ver-mamba-git-main
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:20 warning: mamba-ssm from the main branch builds no selective_scan_cuda
#     why: the install succeeds, and Mamba raises at its first forward on the GPU
#     remedy: name a tag (…/mamba@v2.2.4), or set MAMBA_KEEP_CUDA_BUILD=TRUE for this step
