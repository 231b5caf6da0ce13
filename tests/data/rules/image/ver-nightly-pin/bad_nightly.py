import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.9.0.dev20250801", pre=True)  # expect: ver-nightly-pin
b = modal.Image.debian_slim(python_version="3.11").pip_install("torch", index_url="https://download.pytorch.org/whl/nightly/cu128")  # expect: ver-nightly-pin
app = modal.App("a", image=a)
