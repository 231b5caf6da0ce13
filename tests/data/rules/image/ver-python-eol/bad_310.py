import modal

image = modal.Image.debian_slim(python_version="3.10").pip_install("numpy==1.26.4")  # expect: ver-python-eol
app = modal.App("a", image=image)
