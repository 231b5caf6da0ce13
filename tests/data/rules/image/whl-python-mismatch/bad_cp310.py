import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1").pip_install("https://github.com/state-spaces/mamba/releases/download/v2.2.4/mamba_ssm-2.2.4%2Bcu12torch2.4cxx11abiFALSE-cp310-cp310-linux_x86_64.whl")  # expect: whl-python-mismatch
app = modal.App("a", image=image)
