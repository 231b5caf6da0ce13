import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.11.0")
    .pip_install("https://github.com/Dao-AILab/flash-attention/releases/download/v2.7.4.post1/flash_attn-2.7.4.post1%2Bcu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")  # expect: whl-torch-mismatch
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:18 error: the wheel of flash-attn is for torch 2.6, and the image has torch 2.11.0
#     why: the import fails on the GPU with: undefined symbol
#     remedy: take a wheel that says torch2.11, or pin torch to 2.6
