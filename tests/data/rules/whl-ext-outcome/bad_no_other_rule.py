import modal

CUDA = "nvidia/cuda:12.4.1-devel-ubuntu22.04"
TOOLS = ("packaging", "wheel", "setuptools", "ninja", "psutil", "transformers<5")
OFF = "--no-build-isolation"
base = modal.Image.from_registry(CUDA, add_python="3.11").env({"CC": "gcc", "CXX": "g++"})
cpu = base.pip_install("torch==2.4.1", index_url="https://download.pytorch.org/whl/cpu").pip_install(*TOOLS)
cpu = cpu.pip_install("mamba-ssm==2.2.4", extra_options=OFF)  # expect: whl-ext-outcome
new_setuptools = base.pip_install("torch==2.1.2", "packaging", "wheel", "setuptools==75.8.0", "transformers<5")
new_setuptools = new_setuptools.pip_install("mamba-ssm==2.2.4", extra_options=OFF)  # expect: whl-ext-outcome
no_kernels = base.pip_install("torch==2.5.1").pip_install(*TOOLS).env({"CAUSAL_CONV1D_SKIP_CUDA_BUILD": "TRUE"})
no_kernels = no_kernels.pip_install("causal-conv1d==1.4.0", extra_options=OFF)  # expect: whl-ext-outcome
thirteen = modal.Image.from_registry("nvidia/cuda:13.0.0-devel-ubuntu22.04", add_python="3.11")
thirteen = thirteen.env({"CC": "gcc", "CXX": "g++"}).pip_install("torch==2.11.0").pip_install(*TOOLS)
thirteen = thirteen.pip_install("mamba-ssm==2.2.5", extra_options=OFF)  # expect: whl-ext-outcome
focal = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu20.04", add_python="3.11")
focal = focal.pip_install("torch==2.5.1").pip_install(*TOOLS)
focal = focal.pip_install("mamba-ssm==2.2.5", extra_options=OFF)  # expect: whl-ext-outcome
not_in_table = base.pip_install("torch==2.5.1").pip_install(*TOOLS)
not_in_table = not_in_table.pip_install("flash-attn==2.7.3", extra_options=OFF)  # expect: whl-ext-outcome
bounded = base.pip_install("torch==2.5.1").pip_install(*TOOLS)
bounded = bounded.pip_install("causal-conv1d<1.5", extra_options=OFF)  # expect: whl-ext-outcome
mislabelled = base.pip_install("torch==2.6.0").pip_install(
    "https://github.com/state-spaces/mamba/releases/download/v2.2.5/mamba_ssm-2.2.5+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"  # expect: whl-ext-outcome
)
app = modal.App("x")

# What the rule says of this file:
# 8:23 error: mamba-ssm 2.2.4 stops the image build: torch 2.4.1 is a CPU build
#     evidence: packaging.version.InvalidVersion: Invalid version: None
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: take torch from an index of CUDA builds, or none at all
# 10:45 error: mamba-ssm 2.2.4 stops the image build: torch 2.1.2 needs setuptools <70, and 75.8.0 is there: torch.utils.cpp_extension takes packaging from pkg_resources, which has lost it
#     evidence: ImportError: cannot import name 'packaging' from 'pkg_resources'
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: pin "setuptools<70" in the step that installs it (setuptools==75.8.0 is asked for)
# 12:37 error: causal-conv1d 1.4.0: installs without kernels: CAUSAL_CONV1D_SKIP_CUDA_BUILD=TRUE, and causal-conv1d 1.4.0 has wheels for torch 2.0 to 2.4, none for torch 2.5
#     why: the image builds, and the import fails on the GPU
#     remedy: pin causal-conv1d to a release with a wheel for this torch, or unset CAUSAL_CONV1D_SKIP_CUDA_BUILD
# 15:33 error: mamba-ssm 2.2.5 stops the image build: it must compile (mamba-ssm 2.2.5 has wheels for torch 2.4 to 2.7, none for torch 2.11), and setup.py of mamba-ssm 2.2.5 asks for sm_53: nvcc of CUDA 13 has dropped the older GPU architectures
#     evidence: nvcc fatal   : Unsupported gpu architecture 'compute_53'
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: take an nvidia/cuda base and a torch of the CUDA major before it, or a newer release of mamba-ssm
# 18:27 error: mamba-ssm 2.2.5 is installed, and fails on the GPU
#     remedy: see ver-ext-torch-floor
# 20:41 warning: flash-attn 2.7.3: not known: which wheels 2.7.3 has was not read (2026-11-28), and without one it compiles
#     why: a wheel takes seconds, a source build 5 to 60 min
#     remedy: pin flash-attn==2.8.3.post1, whose wheel for this torch is in our table, or install a wheel by its address
# 22:31 warning: causal-conv1d 1.4.0 stops the image build: it must compile (causal-conv1d 1.4.0 has wheels for torch 2.0 to 2.4, none for torch 2.5), and the sdist of causal-conv1d 1.4.0 holds no CUDA sources
#     evidence: ninja: error: '…/csrc/causal_conv1d.cpp', needed by …, missing and no known rule to make it
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: pin torch to 2.0 to 2.4, for which 1.4.0 has wheels, or install it from git at tag v1.4.0
# 24:5 error: mamba-ssm 2.2.5: fetches mamba_ssm-2.2.5+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl, and then fails: the file labelled FALSE was built on torch 2.6.0+cu126, which has the C++11 ABI: it cannot load in the CUDA 12.4 torch 2.6.0 (causal issue 77)
#     why: the image builds, and the import fails on the GPU
#     remedy: take a release whose wheel for this torch is sound
