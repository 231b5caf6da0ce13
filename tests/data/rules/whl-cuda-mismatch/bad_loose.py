import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install("torch").pip_install("https://example.com/flash_attn-2.8.3+cu11torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")  # expect: whl-cuda-mismatch
b = modal.Image.from_registry("pytorch/pytorch:2.4.1-cuda12.4-cudnn9-devel").pip_install("https://example.com/thing-1.0+cu118torch2.4-cp311-cp311-linux_x86_64.whl")  # expect: whl-cuda-mismatch

# What the rule says of this file:
# 4:43 warning: the wheel of flash-attn is for CUDA 11, and torch NEWEST is built for CUDA 13.2
#     why: the import fails on the GPU: libcudart is not found
#     remedy: take the file that says cu13, or a torch of CUDA 11
# 5:90 error: the wheel of thing is for CUDA 11, and torch 2.4.1 is built for CUDA 12.4
#     why: the import fails on the GPU: libcudart is not found
#     remedy: take the file that says cu12, or a torch of CUDA 11
