import modal

same = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").pip_install("torch==2.2.2", index_url="https://download.pytorch.org/whl/cu121")
runtime = modal.Image.from_registry("nvidia/cuda:12.4.1-runtime-ubuntu22.04", add_python="3.11").pip_install("torch")
slim = modal.Image.debian_slim(python_version="3.11").pip_install("torch")
unknown = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").pip_install("torch==2.99.0")
app = modal.App("a", image=same)
