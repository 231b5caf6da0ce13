import modal

a = modal.Image.from_registry("nvidia/cuda:12.4-devel-ubuntu22.04", add_python="3.11")  # expect: ver-cuda-tag
b = modal.Image.from_registry("nvidia/cuda:latest", add_python="3.11")  # expect: ver-cuda-tag
c = modal.Image.from_registry("nvidia/cuda:12.4.1-ubuntu22.04", add_python="3.11")  # expect: ver-cuda-tag
app = modal.App("a", image=a)
