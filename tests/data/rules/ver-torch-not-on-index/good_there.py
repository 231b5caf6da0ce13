import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.8.0", index_url="https://download.pytorch.org/whl/cu128")
b = modal.Image.debian_slim(python_version="3.12").pip_install("torch==2.2.2")
c = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.8.0", extra_index_url="https://download.pytorch.org/whl/cu118")
d = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.15.1", "torch==1.13.1")
e = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.14.0", index_url="https://download.pytorch.org/whl/cu126")
f = modal.Image.debian_slim().pip_install("torch==2.4.1", index_url="https://download.pytorch.org/whl/cpu")
app = modal.App("a", image=a)
