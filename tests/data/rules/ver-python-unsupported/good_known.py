import modal

a = modal.Image.debian_slim(python_version="3.10")
b = modal.Image.debian_slim(python_version="3.14")
c = modal.Image.debian_slim()
d = modal.Image.from_registry("python:3.8-slim")
e = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.12")
app = modal.App("a", image=a)
