import modal

image = modal.Image.debian_slim(python_version="3.8")  # expect: ver-python-unsupported
other = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.9")  # expect: ver-python-unsupported
    .pip_install("numpy==1.26.4")
)
app = modal.App("a", image=image)
