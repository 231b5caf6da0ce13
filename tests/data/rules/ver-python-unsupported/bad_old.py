import modal

image = modal.Image.debian_slim(python_version="3.8")  # expect: ver-python-unsupported
other = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.9")  # expect: ver-python-unsupported
    .pip_install("numpy==1.26.4")
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:33 error: python_version='3.8': no Image Builder has Python 3.8; it goes from 3.10 to 3.15
#     why: the image is refused before its first step
#     remedy: use python_version="3.11"
#     fix (unsafe):
#         line 3: '3.8' -> '3.11'
# 5:71 error: add_python='3.9': no Image Builder has Python 3.9; it goes from 3.10 to 3.15
#     why: the image is refused before its first step
#     remedy: use add_python="3.11"
#     fix (unsafe):
#         line 5: '3.9' -> '3.11'
