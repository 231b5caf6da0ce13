import modal

image = modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11").pip_install("numpy")  # expect: tool-entrypoint
app = modal.App("a", image=image)
