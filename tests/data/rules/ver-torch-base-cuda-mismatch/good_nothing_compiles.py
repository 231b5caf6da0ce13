import modal

base = modal.Image.from_registry("nvidia/cuda:11.8.0-devel-ubuntu22.04", add_python="3.11")
a = base.pip_install("torch==2.4.1", "numpy==1.26.4").run_commands("pip install einops", "ls")
b = base.pip_install("torch==2.4.1", "https://example.com/thing-1.0-py3-none-any.whl")
c = base.pip_install("torch==2.4.1", index_url="https://download.pytorch.org/whl/cpu").pip_install("deepspeed==0.14.4")
d = base.pip_install("torch==2.4.1", index_url="https://download.pytorch.org/whl/cu118").pip_install("deepspeed==0.14.4")
