import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", "numpy")  # expect: ver-numpy2-old-torch
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:84 warning: torch 2.2.2 was built for numpy 1, and nothing keeps numpy below 2
#     why: the first tensor.numpy() fails with: Numpy is not available
#     remedy: add "numpy<2" to the step that installs torch
#     fix (safe):
#         line 3: '' -> ', "numpy<2"'
