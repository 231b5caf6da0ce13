import modal

app = modal.App("a", image=modal.Image.debian_slim(python_version="3.11"))
