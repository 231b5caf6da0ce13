import modal

base = modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11").env({"CXX": "g++"}).pip_install("torch==2.2.2", "packaging", "wheel")
wheel = base.pip_install("mamba-ssm==2.2.2", "causal-conv1d==1.4.0", extra_options="--no-build-isolation")
apt = base.apt_install("ninja-build").pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
pip = base.pip_install("ninja").pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
app = modal.App("a", image=wheel)
