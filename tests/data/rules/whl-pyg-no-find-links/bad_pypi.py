import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.5.1")
    .pip_install("torch-scatter", "torch_sparse")  # expect: whl-pyg-no-find-links
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:18 error: torch-scatter is installed from PyPI, which has only the source
#     why: the image build stops, or compiles for 10 to 40 min
#     remedy: add find_links=https://data.pyg.org/whl/torch-2.5.0+cu124.html with this torch and CUDA
#     fix (safe):
#         line 6: '' -> ', find_links="https://data.pyg.org/whl/torch-2.5.0+cu124.html"'
# 6:35 error: torch-sparse is installed from PyPI, which has only the source
#     why: the image build stops, or compiles for 10 to 40 min
#     remedy: add find_links=https://data.pyg.org/whl/torch-2.5.0+cu124.html with this torch and CUDA
#     fix (safe):
#         line 6: '' -> ', find_links="https://data.pyg.org/whl/torch-2.5.0+cu124.html"'
