import modal

a = modal.Image.from_registry("nvidia/cuda:12.3.2-devel-ubuntu22.04", add_python="3.11").pip_install("torch==2.2.2").pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
b = modal.Image.from_registry("nvidia/cuda:12.3.2-devel-ubuntu24.04", add_python="3.11").apt_install("gcc-12", "g++-12").env({"CC": "gcc-12", "CXX": "g++-12"}).pip_install("torch==2.2.2").pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
c = modal.Image.from_registry("nvidia/cuda:12.8.1-devel-ubuntu24.04", add_python="3.11").pip_install("torch==2.8.0").pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
d = modal.Image.from_registry("nvidia/cuda:12.3.2-devel-ubuntu24.04", add_python="3.11").pip_install("torch==2.2.2")
app = modal.App("a", image=a)
