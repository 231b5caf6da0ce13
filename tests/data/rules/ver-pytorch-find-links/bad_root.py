import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", find_links="https://download.pytorch.org/whl/cu121")  # expect: ver-pytorch-find-links
shell = modal.Image.debian_slim(python_version="3.11").run_commands("pip install torch==2.2.2 -f https://download.pytorch.org/whl/cu121/")  # expect: ver-pytorch-find-links
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:84 warning: https://download.pytorch.org/whl/cu121 is an index, and find_links finds nothing there
#     why: PyPI's torch is taken without a message, of another CUDA than was meant
#     remedy: write index_url= in place of find_links=
#     fix (safe):
#         line 3: 'find_links' -> 'index_url'
# 4:70 warning: https://download.pytorch.org/whl/cu121/ is an index, and find_links finds nothing there
#     why: PyPI's torch is taken without a message, of another CUDA than was meant
#     remedy: write index_url= in place of find_links=
