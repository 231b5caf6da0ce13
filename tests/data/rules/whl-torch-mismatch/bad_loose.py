import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install("torch").pip_install("https://example.com/flash_attn-2.8.3+cu12torch2.4cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")  # expect: whl-torch-mismatch

# What the rule says of this file:
# 4:43 warning: the wheel of flash-attn is for torch 2.4, and the image has torch without a pin (today NEWEST)
#     why: the import fails on the GPU with: undefined symbol
#     remedy: take a wheel that says torchNEWEST, or pin torch to 2.4
