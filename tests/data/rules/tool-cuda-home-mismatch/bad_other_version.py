import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CUDA_HOME": "/usr/local/cuda-12.1"})  # expect: tool-cuda-home-mismatch
    .env({"PATH": "/usr/local/cuda-12.4/bin:$PATH"})
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:11 warning: CUDA_HOME names /usr/local/cuda-12.1, and nvidia/cuda:12.4.1-devel-ubuntu22.04 has CUDA 12.4
#     why: nvcc or its libraries are not found when something compiles
#     remedy: use /usr/local/cuda, which is always the one that is there
#     fix (safe):
#         line 5: '/usr/local/cuda-12.1' -> '/usr/local/cuda'
