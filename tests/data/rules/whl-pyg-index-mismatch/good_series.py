import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", index_url="https://download.pytorch.org/whl/cu121").pip_install("torch-scatter", find_links="https://data.pyg.org/whl/torch-2.2.0+cu121.html")
b = modal.Image.debian_slim(python_version="3.11").pip_install("torch").pip_install("torch-scatter", find_links="https://data.pyg.org/whl/torch-2.4.0+cu121.html")
app = modal.App("a", image=a)
