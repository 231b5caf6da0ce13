import modal

image = modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11").pip_install("torch==2.4.1")
cpu = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1", index_url="https://download.pytorch.org/whl/cpu")
app = modal.App("a", image=image)
