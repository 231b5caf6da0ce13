import modal

image = modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11").entrypoint([]).pip_install("numpy")
other = modal.Image.from_registry("python:3.11-slim")
app = modal.App("a", image=image)
