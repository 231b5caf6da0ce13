import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0").pip_install("https://github.com/someone/flash-attention-wheels/releases/download/v1/flash_attn-2.7.4.post1+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")  # expect: sec-third-party-wheel
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:96 info: the wheel of flash-attn comes from someone/flash-attention-wheels, not from Dao-AILab/flash-attention
#     remedy: take the project's own file, or add #sha256=<digest> to the address
