import os

import modal

CUDA = "nvidia/cuda:12.4.1-devel-ubuntu22.04"
TOOLS = ("packaging", "wheel", "setuptools", "ninja", "psutil", "transformers<5")
OFF = "--no-build-isolation"
base = modal.Image.from_registry(CUDA, add_python="3.11").env({"CC": "gcc", "CXX": "g++"})
wheels = base.pip_install("torch==2.5.1").pip_install(*TOOLS)
wheels = wheels.pip_install("causal-conv1d==1.5.0.post8", "mamba-ssm==2.2.4", "flash-attn==2.7.4.post1", extra_options=OFF)
no_nvcc_needed = modal.Image.debian_slim("3.11").pip_install("torch==2.5.1").pip_install(*TOOLS)
no_nvcc_needed = no_nvcc_needed.env({"MAMBA_SKIP_CUDA_BUILD": "TRUE"}).pip_install("mamba-ssm==2.2.4", extra_options=OFF)
flash = modal.Image.debian_slim("3.11").pip_install("torch==2.5.1").pip_install(*TOOLS)
flash = flash.pip_install("flash-attn==2.7.4.post1", extra_options=OFF)
built = base.pip_install("torch==2.2.2", "numpy<2").pip_install(*TOOLS).pip_install("mamba-ssm==2.3.1", extra_options=OFF)
old_setuptools = base.pip_install("torch==2.1.2", "packaging", "wheel", "setuptools==69.5.1", "transformers<5")
old_setuptools = old_setuptools.pip_install("mamba-ssm==2.2.4", extra_options=OFF)
bundled_setuptools = base.pip_install("torch==2.1.2", "packaging", "wheel", "setuptools", "transformers<5")
bundled_setuptools = bundled_setuptools.pip_install("mamba-ssm==2.2.4", extra_options=OFF)
focal = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu20.04", add_python="3.11")
focal = focal.pip_install("torch==2.5.1").pip_install(*TOOLS).pip_install("mamba-ssm==2.2.4", extra_options=OFF)
unpinned = base.pip_install("torch==2.5.1").pip_install(*TOOLS).pip_install("flash-attn", extra_options=OFF)
own_base = modal.Image.from_registry(os.environ["BASE"]).pip_install("mamba-ssm==2.2.4", extra_options=OFF)
own_index = base.pip_install("torch==2.5.1").pip_install("mamba-ssm==9.9", extra_index_url="https://wheels.example.com/simple")
own_torch = base.pip_install(f"torch=={os.environ['TORCH']}").pip_install("mamba-ssm==2.2.4", extra_options=OFF)
app = modal.App("x")
