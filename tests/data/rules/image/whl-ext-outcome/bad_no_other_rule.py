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
