import os

import modal

devel = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").pip_install("torch==2.4.1").pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8", extra_options="--no-build-isolation")
wheel = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.4.1").pip_install(
    "https://github.com/state-spaces/mamba/releases/download/v2.2.4/mamba_ssm-2.2.4+cu12torch2.4cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
)
toolkit = modal.Image.debian_slim(python_version="3.11").apt_install("nvidia-cuda-toolkit").pip_install("torch==2.4.1").pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")
unknown = modal.Image.from_registry(os.environ["BASE"]).pip_install("mamba-ssm==2.2.4")
foreign = modal.Image.from_registry("ghcr.io/team/cuda:1").pip_install("mamba-ssm==2.2.4")
script = modal.Image.debian_slim(python_version="3.11").run_commands("wget https://developer.download.nvidia.com/cuda.run && sh cuda.run").pip_install("mamba-ssm==2.2.4")
skipped = modal.Image.debian_slim(python_version="3.11").env({"MAMBA_SKIP_CUDA_BUILD": "TRUE"}).pip_install("torch==2.4.1").pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")
app = modal.App("a", image=devel)
