# builder: 2025.06
import modal

slim = modal.Image.debian_slim(python_version="3.11").apt_install("libgl1-mesa-glx", "libglib2.0-0", "libasound2")
jammy = modal.Image.from_registry("nvidia/cuda:12.8.1-devel-ubuntu22.04", add_python="3.11").apt_install("libgl1-mesa-glx", "gcc-11")
app = modal.App("a", image=slim)
