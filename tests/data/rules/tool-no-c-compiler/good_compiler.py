import modal

a = modal.Image.from_registry("ubuntu:22.04", add_python="3.11").apt_install("build-essential").pip_install("torch==2.4.1", "wheel").run_commands("CC=gcc pip install --no-build-isolation torch-scatter==2.1.2")
b = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1").run_commands("pip install --no-build-isolation torch-scatter==2.1.2")
c = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").pip_install("torch==2.4.1").run_commands("CC=gcc pip install --no-build-isolation torch-scatter==2.1.2")
d = modal.Image.from_registry("ubuntu:22.04", add_python="3.11").pip_install("torch==2.4.1", "numpy")
app = modal.App("a", image=a)
