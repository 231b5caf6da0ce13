import modal

MAMBA = "https://github.com/state-spaces/mamba/releases/download/v2.2.4/mamba_ssm-2.2.4+cu12torch2.4cxx11abiTRUE-cp311-cp311-linux_x86_64.whl"
a = modal.Image.from_registry("pytorch/pytorch:2.4.1-cuda12.4-cudnn9-devel").pip_install(MAMBA)
b = modal.Image.debian_slim(python_version="3.11").pip_install("https://example.com/thing-1.0+cu12cxx11abiTRUE-cp311-cp311-linux_x86_64.whl")
c = modal.Image.debian_slim(python_version="3.11").pip_install("https://example.com/thing-1.0+cu12torch1.4cxx11abiTRUE-cp311-cp311-linux_x86_64.whl")
