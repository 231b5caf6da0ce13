import modal

base = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").env({"CXX": "g++"}).pip_install("torch==2.4.1", "packaging", "wheel", "ninja")
a = base.env({"MAX_JOBS": "4"}).pip_install("flash-attn", extra_options="--no-build-isolation")
b = base.run_commands("MAX_JOBS=4 pip install --no-build-isolation flash-attn")
c = base.pip_install("flash-attn==2.7.4.post1", extra_options="--no-build-isolation")
app = modal.App("a", image=a)
