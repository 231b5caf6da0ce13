import modal

a = modal.Image.debian_slim("3.11").pip_install("numpy")
b = modal.Image.debian_slim(python_version="3.11")
c = modal.Image.from_registry("python:3.11-slim")
app = modal.App("a", image=a)
