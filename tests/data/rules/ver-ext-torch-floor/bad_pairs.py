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
# 8:24 error: mamba-ssm NEWEST requires triton 3.5, and torch 2.2.2 pins an older one: it goes with torch 2.9 on
#     why: the image build stops, or the import fails on the GPU after it was paid for
#     remedy: pin mamba-ssm==2.2.4, which has a wheel for torch 2.2
# 9:28 error: causal-conv1d 1.5.2 uses torch.library.custom_op, which torch 2.2.2 does not have (2.4 has)
#     why: the image build stops, or the import fails on the GPU after it was paid for
#     remedy: pin causal-conv1d==1.5.0.post8, which has a wheel for torch 2.2
# 9:28 error: mamba-ssm 2.2.2 calls causal-conv1d in another way than 1.5.2 offers
#     why: the first forward fails on the GPU: incompatible function arguments, or None is not callable
#     remedy: pin causal-conv1d to 1.5.0.post8 or older
# 10:62 error: the sdist of mamba-ssm 2.2.2 has no CUDA sources, and *_FORCE_BUILD=TRUE asks to build it
#     why: the image build stops, or the import fails on the GPU after it was paid for
#     remedy: pin mamba-ssm==2.2.4, which has a wheel for torch 2.2
# 14:20 error: the wheel of mamba-ssm 2.3.0 for torch 2.6 can't load: the file labelled FALSE was built on torch 2.6.0+cu126, which has the C++11 ABI: it cannot load in the CUDA 12.4 torch 2.6.0 (causal issue 77)
#     why: the image build stops, or the import fails on the GPU after it was paid for
#     remedy: pin mamba-ssm==2.2.4, which has a wheel for torch 2.6
# 19:20 warning: mamba-ssm 2.2.2 does not import under transformers 5, and nothing keeps transformers below it
#     why: import mamba_ssm fails: cannot import name 'GreedySearchDecoderOnlyOutput'
#     remedy: add "transformers<5" to the step that installs torch
# 24:20 error: mamba-ssm NEWEST does not compile under torch 2.14.1: it says -std=c++17, torch wants C++20
#     why: the image build stops, or the import fails on the GPU after it was paid for
#     remedy: pin torch to a minor that mamba-ssm has wheels for: 2.6 to 2.10
