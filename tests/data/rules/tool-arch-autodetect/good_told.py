import modal

base = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").env({"CXX": "g++"}).pip_install("torch==2.4.1", "packaging", "wheel", "ninja")
a = base.env({"TORCH_CUDA_ARCH_LIST": "8.0"}).run_commands("pip install --no-build-isolation git+https://github.com/camenduru/simple-knn@4f10e96c")
b = base.run_commands("pip install --no-build-isolation git+https://github.com/camenduru/simple-knn@4f10e96c", gpu="A100")
c = base.run_commands("TORCH_CUDA_ARCH_LIST=8.0 pip install --no-build-isolation git+https://github.com/camenduru/simple-knn@4f10e96c")
d = base.pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8", extra_options="--no-build-isolation")
app = modal.App("a", image=a)
