import modal

a = modal.Image.from_registry("nvidia/cuda:12.1.0-devel-ubuntu22.04", add_python="3.11").env({"CUDA_HOME": "/usr/local/cuda-12.1", "PATH": "/usr/local/cuda-12.1/bin:$PATH"})
b = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").env({"CUDA_HOME": "/usr/local/cuda"})
c = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").apt_install("cuda-toolkit-12-1").env({"CUDA_HOME": "/usr/local/cuda-12.1"})
d = modal.Image.debian_slim().env({"CUDA_HOME": "/usr/local/cuda-12.1"})
app = modal.App("a", image=a)
