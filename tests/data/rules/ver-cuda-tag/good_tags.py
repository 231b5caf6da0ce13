import os

import modal

version, flavour, distro = "12.8.1", "cudnn-devel", "ubuntu24.04"
tag = f"{version}-{flavour}-{distro}"
a = modal.Image.from_registry(f"nvidia/cuda:{tag}", add_python="3.11")
b = modal.Image.from_registry("nvidia/cuda:12.1.0-cudnn8-runtime-ubuntu22.04", add_python="3.11")
c = modal.Image.from_registry("nvidia/cuda@sha256:0123456789abcdef", add_python="3.11")
d = modal.Image.from_registry(os.environ["TAG"], add_python="3.11")
app = modal.App("a", image=a)
