import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.5.1").pip_install("torch-scatter", find_links="https://data.pyg.org/whl/torch-2.4.0+cu121.html")  # expect: whl-pyg-index-mismatch
app = modal.App("a", image=image)
