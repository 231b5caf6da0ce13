import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", find_links="https://download.pytorch.org/whl/cu121")  # expect: ver-pytorch-find-links
shell = modal.Image.debian_slim(python_version="3.11").run_commands("pip install torch==2.2.2 -f https://download.pytorch.org/whl/cu121/")  # expect: ver-pytorch-find-links
app = modal.App("a", image=image)
