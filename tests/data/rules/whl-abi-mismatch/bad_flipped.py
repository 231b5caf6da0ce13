import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.5.1")
    .pip_install("https://github.com/Dao-AILab/flash-attention/releases/download/v2.7.4.post1/flash_attn-2.7.4.post1+cu12torch2.5cxx11abiTRUE-cp311-cp311-linux_x86_64.whl")  # expect: whl-abi-mismatch
    .run_commands("pip install https://github.com/state-spaces/mamba/releases/download/v2.3.1/mamba_ssm-2.3.1+cu12torch2.8cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")  # expect: whl-abi-mismatch
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:18 error: the wheel of flash-attn has cxx11abiTRUE, and torch 2.5 was built with cxx11abiFALSE
#     why: the import fails on the GPU with: undefined symbol
#     remedy: take the file that says cxx11abiFALSE
#     fix (safe):
#         line 6: 'cxx11abiTRUE' -> 'cxx11abiFALSE'
# 7:20 error: the wheel of mamba-ssm has cxx11abiFALSE, and torch 2.8 was built with cxx11abiTRUE
#     why: the import fails on the GPU with: undefined symbol
#     remedy: take the file that says cxx11abiTRUE
#     fix (safe):
#         line 7: 'cxx11abiFALSE' -> 'cxx11abiTRUE'
