import modal

base = modal.Image.from_registry("nvidia/cuda:11.8.0-devel-ubuntu22.04", add_python="3.11")
torch = base.apt_install("git").pip_install("torch==2.4.1", "packaging", "wheel")
a = (
    base.apt_install("git")
    .pip_install("torch==2.4.1", "packaging", "wheel")  # expect: ver-torch-base-cuda-mismatch
    .run_commands("cd /src && python setup.py install")
)
b = (
    base.apt_install("git")
    .pip_install("torch==2.4.1")  # expect: ver-torch-base-cuda-mismatch
    .pip_install("git+https://github.com/owner/project@4f10e96c")
)

# What the rule says of this file:
# 7:18 warning: torch 2.4.1 is built for CUDA 12.1, and nvidia/cuda:11.8.0-devel-ubuntu22.04 has the toolkit of CUDA 11.8.0
#     why: torch refuses to build an extension across CUDA majors: the image build stops, or the first JIT does
#     remedy: take a torch of CUDA 11 (its index, or an older pin), or an nvidia/cuda:12.1 base
# 12:18 warning: torch 2.4.1 is built for CUDA 12.1, and nvidia/cuda:11.8.0-devel-ubuntu22.04 has the toolkit of CUDA 11.8.0
#     why: torch refuses to build an extension across CUDA majors: the image build stops, or the first JIT does
#     remedy: take a torch of CUDA 11 (its index, or an older pin), or an nvidia/cuda:12.1 base
