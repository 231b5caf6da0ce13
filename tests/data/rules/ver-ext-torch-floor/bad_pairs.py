import modal

base = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch==2.2.2", "packaging", "wheel", "numpy<2", "transformers<5")
)
new = base.pip_install("mamba-ssm==2.3.2.post1", extra_options="--no-build-isolation")  # expect: ver-ext-torch-floor
crossed = base.pip_install("causal-conv1d==1.5.2", extra_options="--no-build-isolation").pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")  # expect: ver-ext-torch-floor
forced = base.env({"MAMBA_FORCE_BUILD": "TRUE"}).pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")  # expect: ver-ext-torch-floor
mislabelled = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.6.0", "packaging", "wheel")
    .run_commands("CXX=g++ pip install --no-build-isolation mamba-ssm==2.3.0")  # expect: ver-ext-torch-floor
)
transformers5 = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.2.2", "packaging", "wheel", "transformers")
    .run_commands("CXX=g++ pip install --no-build-isolation mamba-ssm==2.2.2")  # expect: ver-ext-torch-floor
)
cpp20 = (
    modal.Image.from_registry("nvidia/cuda:13.0.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.14.1", "packaging", "wheel")
    .run_commands("CXX=g++ pip install --no-build-isolation mamba-ssm==2.3.2.post1")  # expect: ver-ext-torch-floor
)
app = modal.App("a", image=new)

# What the rule says of this file:
# 8:24 error: mamba-ssm NEWEST needs triton >=3.5.0, and torch 2.2.2 brings 2.2.0: its kernels and its metadata want a newer triton, and pip replaces the one that torch pins
#     evidence: torch … requires triton==…, but you have triton 3.5.0 which is incompatible.
#     why: the image builds, and the import fails on the GPU after it was paid for
#     remedy: pin mamba-ssm==2.2.4, for torch 2.2
# 9:28 error: causal-conv1d 1.5.2 needs torch >=2.4, and 2.2.2 is there: it uses torch.library.custom_op, which this torch does not have
#     evidence: AttributeError: module 'torch.library' has no attribute 'custom_op'
#     why: the image builds, and the import fails on the GPU after it was paid for
#     remedy: pin mamba-ssm==2.2.2 and causal-conv1d==1.5.0.post8, for torch 2.2
# 9:28 error: mamba-ssm 2.2.2 needs causal-conv1d >=1.2.0,<1.5.1, and 1.5.2 is there: it calls causal_conv1d_fwd with other arguments than this one takes
#     evidence: TypeError: causal_conv1d_fwd(): incompatible function arguments
#     why: the image builds, and the first forward fails on the GPU
#     remedy: pin mamba-ssm==2.2.2 and causal-conv1d==1.5.0.post8, for torch 2.2
# 10:62 error: the sdist of mamba-ssm 2.2.2 has no CUDA sources, and *_FORCE_BUILD=TRUE asks to build it
#     why: the image build stops, after torch was downloaded
#     remedy: pin mamba-ssm==2.2.2, for torch 2.2
# 14:20 error: the wheel of mamba-ssm 2.3.0 for torch 2.6 can't load: the file labelled FALSE was built on torch 2.6.0+cu126, which has the C++11 ABI: it cannot load in the CUDA 12.4 torch 2.6.0 (causal issue 77)
#     why: the image build stops, after torch was downloaded
#     remedy: pin mamba-ssm==2.2.4, for torch 2.6
# 19:20 error: mamba-ssm 2.2.2 needs transformers <5, and 5.24.0 is there: import mamba_ssm takes GreedySearchDecoderOnlyOutput from transformers, which has lost it
#     evidence: ImportError: cannot import name 'GreedySearchDecoderOnlyOutput' from 'transformers.generation'
#     why: the image builds, and the import fails on the GPU after it was paid for
#     remedy: install "transformers<5" from PyPI, in a step of its own before this one
# 24:20 error: mamba-ssm NEWEST needs C++17, and torch 2.14.1 brings C++20: setup.py says -std=c++17, and the headers of this torch want a newer C++
#     evidence: #error C++20 or later compatible compiler is required to use ATen.
#     why: the image build stops, after torch was downloaded
#     remedy: pin torch==2.13.0 (CUDA 13.0) with mamba-ssm==2.3.2.post1: `preflight init --recipe` prints such an image
