import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CUDA_HOME": "/usr/local/cuda-12.1"})  # expect: tool-cuda-home-mismatch
    .env({"PATH": "/usr/local/cuda-12.4/bin:$PATH"})
)
app = modal.App("a", image=image)
