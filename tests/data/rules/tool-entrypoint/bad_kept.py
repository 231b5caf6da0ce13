import modal

image = modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11").pip_install("numpy")  # expect: tool-entrypoint
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:21 info: nvidia/cuda:12.1.1-devel-ubuntu22.04 keeps its entrypoint, which prints a banner into every log
#     remedy: add .entrypoint([]) after the base
