import modal

base = modal.Image.from_registry("nvidia/cuda:12.8.1-devel-ubuntu22.04", add_python="3.12").env({"CXX": "g++"})
a = base.env({"NVCC_APPEND_FLAGS": "--split-compile=0"}).pip_install("torch==2.12.0+cu126", "packaging", "wheel", extra_index_url="https://download.pytorch.org/whl/cu126").pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
b = base.pip_install("torch==2.8.0", "packaging", "wheel").pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
c = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.12").pip_install("torch==2.4.1", "packaging", "wheel").pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
app = modal.App("a", image=a)
