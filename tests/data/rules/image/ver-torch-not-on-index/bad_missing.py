import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.8.0", index_url="https://download.pytorch.org/whl/cu118")  # expect: ver-torch-not-on-index
b = modal.Image.debian_slim(python_version="3.13").pip_install("torch==2.2.2")  # expect: ver-torch-not-on-index
c = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.5.7")  # expect: ver-torch-not-on-index
d = modal.Image.debian_slim(python_version="3.11").run_commands("pip install torch==2.4.1+cu126 -f https://x.example")  # expect: ver-torch-not-on-index
app = modal.App("a", image=a)
