import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("pip install -c pins.txt torch==2.2.2")
b = slim.pip_install("torch==2.2.2").run_commands("pip install --constraint pins.txt scipy")
c = modal.Image.from_registry("python:3.8-slim").pip_install("torch==2.2.2")
d = modal.Image.from_registry("pytorch/pytorch:2.2.2-cuda12.1-cudnn8-devel")
e = slim.pip_install("torch==2.2.2", "numpy").pip_install("numpy<2")
