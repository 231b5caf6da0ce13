import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "pip install 'mamba-ssm>=2.0.0' \"numpy<2\"",
    "pip install torch==2.6.0 causal-conv1d==1.5.0.post8 > /tmp/log",
    "pip install numpy\\<2",
    "python -c 'print(1 > 2)' >> /tmp/out",
)
app = modal.App("a", image=image)
