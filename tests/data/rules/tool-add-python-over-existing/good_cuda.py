import modal

a = modal.Image.from_registry("nvidia/cuda:12.8.1-devel-ubuntu22.04", add_python="3.11")
b = modal.Image.from_registry("pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel")
c = modal.Image.from_registry("ghcr.io/x/y:1", add_python="3.11")
app = modal.App("a", image=a)
