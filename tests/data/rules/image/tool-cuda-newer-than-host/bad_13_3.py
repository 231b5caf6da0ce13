import modal

image = modal.Image.from_registry("nvidia/cuda:13.3.0-devel-ubuntu24.04", add_python="3.12")  # expect: tool-cuda-newer-than-host
app = modal.App("a", image=image)
