import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.5.1").pip_install("torch-scatter", find_links="https://data.pyg.org/whl/torch-2.4.0+cu121.html")  # expect: whl-pyg-index-mismatch
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:113 error: the page of torch 2.4, CUDA 12.1; the image has torch 2.5.1, CUDA 12.4
#     why: the import fails with: undefined symbol
#     remedy: use torch-2.5.0+cu124.html
