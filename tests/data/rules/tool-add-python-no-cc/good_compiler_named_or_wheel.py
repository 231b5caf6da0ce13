import modal

base = modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11").pip_install(
    "torch==2.2.2", "numpy<2", "packaging", "wheel", index_url="https://download.pytorch.org/whl/cu121"
)
env = base.env({"CC": "gcc", "CXX": "g++"}).pip_install("mamba-ssm==2.3.1", "causal-conv1d==1.6.0", extra_options="--no-build-isolation")
inline = base.run_commands("CC=gcc CXX=g++ pip install --no-build-isolation mamba-ssm==2.3.1")
exported = base.run_commands("export CXX=g++ && pip install --no-build-isolation mamba-ssm==2.3.1")
clang = base.apt_install("clang").run_commands("pip install --no-build-isolation mamba-ssm==2.3.1")
fits = base.run_commands("pip install --no-build-isolation causal-conv1d==1.4.0 mamba-ssm==2.2.2")
plain = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.2.2").pip_install("mamba-ssm==2.3.1")
app = modal.App("a", image=env)
