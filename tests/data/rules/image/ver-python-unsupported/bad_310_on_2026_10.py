# builder: 2026.10
import modal

image = modal.Image.debian_slim(python_version="3.10")  # expect: ver-python-unsupported
app = modal.App("a", image=image)
