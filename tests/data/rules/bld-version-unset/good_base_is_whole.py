import modal

image = modal.Image.from_registry("pytorch/pytorch:2.8.0-cuda12.8-cudnn9-devel").pip_install("einops==0.8.1")
app = modal.App("a", image=image)
