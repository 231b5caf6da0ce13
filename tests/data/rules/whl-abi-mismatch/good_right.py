import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.7.1")
    .pip_install("https://github.com/state-spaces/mamba/releases/download/v2.3.1/mamba_ssm-2.3.1+cu12torch2.7cxx11abiTRUE-cp311-cp311-linux_x86_64.whl")
    .pip_install("https://github.com/state-spaces/mamba/releases/download/v2.2.5/mamba_ssm-2.2.5+cu12torch2.7cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")
    .pip_install("https://github.com/Dao-AILab/flash-attention/releases/download/v2.7.4.post1/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiTRUE-cp311-cp311-linux_x86_64.whl")
    .pip_install("https://x.example/thing-1.0-py3-none-any.whl")
)
app = modal.App("a", image=image)
