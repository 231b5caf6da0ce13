import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.10.0", index_url="https://download.pytorch.org/whl/cu130").pip_install("https://github.com/state-spaces/mamba/releases/download/v2.3.1/mamba_ssm-2.3.1+cu12torch2.10cxx11abiTRUE-cp311-cp311-linux_x86_64.whl")  # expect: whl-cuda-mismatch
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:149 error: the wheel of mamba-ssm is for CUDA 12, and torch 2.10.0 is built for CUDA 13.0
#     why: the import fails on the GPU: libcudart is not found
#     remedy: take the file that says cu13, or a torch of CUDA 12
