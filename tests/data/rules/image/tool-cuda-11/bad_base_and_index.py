import modal

image = modal.Image.from_registry("nvidia/cuda:11.8.0-devel-ubuntu22.04", add_python="3.11")  # expect: tool-cuda-11
slim = modal.Image.debian_slim(python_version="3.11").pip_install(
    "torch==2.4.1", index_url="https://download.pytorch.org/whl/cu118"  # expect: tool-cuda-11
)
app = modal.App("a", image=image)
