import modal

base = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").env({"CXX": "g++"}).pip_install("torch==2.4.1", "packaging", "wheel")
a = base.pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8", extra_options="--no-build-isolation")
b = base.run_commands("uv pip install --system --no-build-isolation flash-attn==2.6.3")
c = base.env({"PIP_NO_BUILD_ISOLATION": "0"}).pip_install("mamba-ssm==2.2.4")
d = base.run_commands("PIP_NO_BUILD_ISOLATION=0 pip install mamba-ssm==2.2.4")
e = base.pip_install("https://github.com/Dao-AILab/flash-attention/releases/download/v2.6.3/flash_attn-2.6.3+cu123torch2.4cxx11abiFALSE-cp311-cp311-linux_x86_64.whl")
f = base.pip_install("torch-scatter", find_links="https://data.pyg.org/whl/torch-2.4.0+cu124.html")
g = base.pip_install("bitsandbytes==0.44.0", "xformers", "deepspeed")
h = base.run_commands("uv pip install --no-build-isolation-package flash-attn flash-attn==2.6.3")
app = modal.App("a", image=a)
