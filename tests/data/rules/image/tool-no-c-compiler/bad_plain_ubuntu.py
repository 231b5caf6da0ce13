import modal

image = (
    modal.Image.from_registry("ubuntu:22.04", add_python="3.11")
    .pip_install("torch==2.4.1", "wheel", "setuptools")
    .run_commands("CC=gcc pip install --no-build-isolation torch-scatter==2.1.2")  # expect: tool-no-c-compiler
)
app = modal.App("a", image=image)
