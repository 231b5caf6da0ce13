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
# 7:57 warning: mamba-ssm 2.2.4 stops the image build: in pip's own build environment, where torch is NEWEST: nvcc is 12.4, and torch NEWEST is built for CUDA 13.2
#     evidence: RuntimeError: ('The detected CUDA version (%s) mismatches the version that was used to compilePyTorch (%s). …', '12.4', '13.2')
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: do what iso-ext-build-isolation says of it
# 9:25 error: mamba-ssm 2.2.4 stops the image build: debian_slim has no nvcc
#     evidence: NameError: name 'bare_metal_version' is not defined
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: do what tool-ext-no-nvcc says of it
# 12:37 error: mamba-ssm 2.0.4: fetches mamba_ssm-2.0.4+cu122torch2.4cxx11abiFALSE-cp311-cp311-linux_x86_64.whl, and then fails: mamba-ssm 2.0.4 needs triton <3.0.0, and torch 2.4.1 brings 3.0.0: its Mamba2 kernels call tl.math.log1p, which triton has lost
#     why: the image builds, and the import fails on the GPU
#     remedy: do what ver-ext-torch-floor says of it
