import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.9.1", index_url="https://download.pytorch.org/whl/cu128")
b = modal.Image.debian_slim(python_version="3.11").pip_install("thing", pre=True)
app = modal.App("a", image=a)
