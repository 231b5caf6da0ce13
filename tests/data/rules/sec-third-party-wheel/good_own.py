import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0").pip_install("https://github.com/Dao-AILab/flash-attention/releases/download/v2.7.4.post1/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")
b = a.pip_install("https://github.com/someone/wheels/releases/download/v1/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl#sha256=0123")
app = modal.App("a", image=a)
