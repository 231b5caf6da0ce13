import modal

image = modal.Image.debian_slim().pip_install("https://github.com/state-spaces/mamba/releases/download/v2.2.4/mamba_ssm-2.2.4+cu12torch2.4cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")  # expect: ver-python-unset
app = modal.App("a", image=image)
