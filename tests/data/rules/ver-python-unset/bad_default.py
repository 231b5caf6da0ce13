import modal

image = modal.Image.debian_slim().pip_install("https://github.com/state-spaces/mamba/releases/download/v2.2.4/mamba_ssm-2.2.4+cu12torch2.4cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")  # expect: ver-python-unset
app = modal.App("a", image=image)

# What the rule says of this file:
# 3:21 warning: debian_slim takes the Python of whoever deploys, and the wheel of mamba-ssm is for Python 3.11
#     why: another machine builds another image, and wheels of one Python do not install
#     remedy: write debian_slim(python_version="3.11")
#     fix (unsafe):
#         line 3: '' -> 'python_version="3.11"'
