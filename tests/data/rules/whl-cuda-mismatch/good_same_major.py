import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", index_url="https://download.pytorch.org/whl/cu121").pip_install("https://github.com/state-spaces/mamba/releases/download/v2.2.2/mamba_ssm-2.2.2+cu122torch2.2cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")
b = modal.Image.debian_slim(python_version="3.11").pip_install("vllm==0.8.0").pip_install("https://x.example/flash_attn-2.8.3+cu11torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")
app = modal.App("a", image=a)
