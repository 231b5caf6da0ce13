import os

import modal

image = (
    modal.Image.debian_slim()
    .pip_install("torch", gpu=("T4", "L4"))  # expect: res-gpu-list-in-build
    .run_commands("nvidia-smi", gpu=[os.environ["GPU"]])  # expect: res-gpu-list-in-build
    .uv_sync(gpu=[])  # expect: res-gpu-list-in-build
)

# What the rule says of this file:
# 7:27 error: pip_install gets a list of GPUs; a build step takes one
#     why: the image build stops at this step
#     remedy: write gpu='T4'
#     fix (safe):
#         line 7: '("T4", "L4")' -> '"T4"'
# 8:33 error: run_commands gets a list of GPUs; a build step takes one
#     why: the image build stops at this step
#     remedy: name one GPU
# 9:14 error: uv_sync gets a list of GPUs; a build step takes one
#     why: the image build stops at this step
#     remedy: name one GPU
