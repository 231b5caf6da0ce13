import modal

WHEEL = "https://github.com/Dao-AILab/flash-attention/releases/download/v2.7.4.post1/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0").pip_install(f"flash-attn @ {WHEEL}")
vllm = modal.Image.debian_slim(python_version="3.11").pip_install("vllm==0.8.0").pip_install(WHEEL)
plain = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.11.0").pip_install("https://x.example/thing-1.0-py3-none-any.whl")
app = modal.App("a", image=image)
