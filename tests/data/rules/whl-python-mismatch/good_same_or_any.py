import modal

URL = "https://github.com/state-spaces/mamba/releases/download/v2.2.4/mamba_ssm-2.2.4+cu12torch2.4cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
a = modal.Image.debian_slim(python_version="3.11").pip_install(URL, "https://x.example/a-1.0-py3-none-any.whl", "https://x.example/b-1.0-cp38-abi3-manylinux_2_28_x86_64.whl")
b = modal.Image.debian_slim().pip_install(URL.replace("311", "310"))
c = modal.Image.from_registry("pytorch/pytorch:2.4.1-cuda12.4-cudnn9-devel").pip_install(URL)
app = modal.App("a", image=a)
