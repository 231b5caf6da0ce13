import modal

image = modal.Image.from_registry("nvidia/cuda:11.8.0-devel-ubuntu22.04", add_python="3.11")  # expect: tool-cuda-11
slim = modal.Image.debian_slim(python_version="3.11").pip_install(
    "torch==2.4.1", index_url="https://download.pytorch.org/whl/cu118"  # expect: tool-cuda-11
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:35 warning: nvidia/cuda:11.8.0-devel-ubuntu22.04 has CUDA 11.8.0; Modal guarantees CUDA 12 and 13
#     why: newer GPUs and drivers may refuse it
#     remedy: take a CUDA 12 base, and a torch of CUDA 12
# 5:5 warning: torch 2.4.1 is built for CUDA 11.8; Modal guarantees CUDA 12 and 13
#     why: newer GPUs and drivers may refuse it
#     remedy: take a CUDA 12 base, and a torch of CUDA 12
