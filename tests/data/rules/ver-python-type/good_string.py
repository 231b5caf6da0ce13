import os

import modal

a = modal.Image.debian_slim(python_version="3.11")
b = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
c = modal.Image.debian_slim(python_version=os.environ["PY"])
d = modal.Image.debian_slim()
app = modal.App("a", image=a)
