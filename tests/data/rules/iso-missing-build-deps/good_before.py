import modal

CUDA = "nvidia/cuda:12.1.1-devel-ubuntu22.04"
a = modal.Image.from_registry(CUDA, add_python="3.11").pip_install("torch==2.2.2", "packaging", "wheel").pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")
b = modal.Image.from_registry(CUDA, add_python="3.11").pip_install("torch==2.2.2").run_commands("pip install packaging wheel", "pip install --no-build-isolation mamba-ssm==2.2.2")
c = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2", "transformers").pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")
d = modal.Image.from_registry("pytorch/pytorch:2.4.1-cuda12.4-cudnn9-devel").pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")
e = modal.Image.from_registry(CUDA, add_python="3.11").pip_install_from_requirements("missing.txt").pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")
app = modal.App("a", image=a)
