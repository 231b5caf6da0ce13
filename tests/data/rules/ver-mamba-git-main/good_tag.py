import modal

base = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").env({"CXX": "g++"}).pip_install("torch==2.4.1", "packaging", "wheel")
a = base.run_commands("pip install --no-build-isolation git+https://github.com/state-spaces/mamba.git@v2.2.4")
b = base.run_commands("MAMBA_KEEP_CUDA_BUILD=TRUE pip install --no-build-isolation git+https://github.com/state-spaces/mamba")
c = base.pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")
app = modal.App("a", image=a)
