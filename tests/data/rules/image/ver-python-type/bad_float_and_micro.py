import modal

image = modal.Image.debian_slim(python_version=3.11)  # expect: ver-python-type
other = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11.5")  # expect: ver-python-type
app = modal.App("a", image=image)
