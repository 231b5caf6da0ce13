import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", "numpy")  # expect: ver-numpy2-old-torch
app = modal.App("a", image=image)
