import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1").pip_install("https://github.com/state-spaces/mamba/releases/download/v2.2.4/mamba_ssm-2.2.4%2Bcu12torch2.4cxx11abiFALSE-cp310-cp310-linux_x86_64.whl")  # expect: whl-python-mismatch
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:96 error: the wheel of mamba-ssm is for Python 3.10, and the image has Python 3.11
#     why: pip stops with: is not a supported wheel on this platform
#     remedy: take the file that says cp311, or Python 3.10 for the image
