import modal

image = modal.Image.debian_slim(python_version="3.11")
other = modal.Image.from_registry("python:3.10-slim")
app = modal.App("a", image=image)
