import modal

image = modal.Image.from_registry("nvidia/cuda:13.3.0-devel-ubuntu24.04", add_python="3.12")  # expect: tool-cuda-newer-than-host
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:35 warning: nvidia/cuda:13.3.0-devel-ubuntu24.04 has CUDA 13.3.0; Modal's hosts have CUDA 13.0 (read DATE)
#     why: code compiled with a newer toolkit may not load under the hosts' driver
#     remedy: take a base of CUDA 13.0 or older
