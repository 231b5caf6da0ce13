import modal

image = modal.Image.from_registry(
    "pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel",
    add_python="3.11",  # expect: tool-add-python-over-existing
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:5 warning: pytorch/pytorch:2.9.1-cuda12.8-cudnn9-devel has its own Python and torch, and add_python puts a second Python in front of it
#     why: packages land in one Python and torch sits in the other
#     remedy: leave add_python out, or start from an nvidia/cuda image
#     fix (safe):
#         line 4: ',\n    add_python="3.11"' -> ''
