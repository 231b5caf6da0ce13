import modal

CUDA = "nvidia/cuda:12.4.1-devel-ubuntu22.04"
TOOLS = ("packaging", "wheel", "setuptools", "ninja", "psutil", "transformers<5")
OFF = "--no-build-isolation"
base = modal.Image.from_registry(CUDA, add_python="3.11").env({"CC": "gcc", "CXX": "g++"})
isolated = base.pip_install("torch==2.2.2").pip_install("mamba-ssm==2.2.4")  # expect: whl-ext-outcome
slim = modal.Image.debian_slim("3.11").pip_install("torch==2.5.1").pip_install(*TOOLS)
slim = slim.pip_install("mamba-ssm==2.2.4", extra_options=OFF)  # expect: whl-ext-outcome
paired = base.pip_install("torch==2.2.2").pip_install(*TOOLS).pip_install("causal-conv1d==1.4.0", extra_options=OFF)
old_triton = base.pip_install("torch==2.4.1").pip_install(*TOOLS)
old_triton = old_triton.pip_install("mamba-ssm==2.0.4", extra_options=OFF)  # expect: whl-ext-outcome
app = modal.App("x")

# What the rule says of this file:
# 7:57 warning: mamba-ssm 2.2.4 stops the image build
#     remedy: see iso-ext-build-isolation
# 9:25 error: mamba-ssm 2.2.4 stops the image build
#     remedy: see tool-ext-no-nvcc
# 12:37 error: mamba-ssm 2.0.4 is installed, and fails on the GPU
#     remedy: see ver-ext-torch-floor
