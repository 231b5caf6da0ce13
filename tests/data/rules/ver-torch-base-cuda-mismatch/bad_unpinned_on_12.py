import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch", "packaging", "wheel")  # expect: ver-torch-base-cuda-mismatch
    .pip_install("mamba-ssm==2.3.1", "causal-conv1d==1.6.0", extra_options="--no-build-isolation")
)
old = (
    modal.Image.from_registry("nvidia/cuda:11.8.0-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.4.1", index_url="https://download.pytorch.org/whl/cu121")  # expect: ver-torch-base-cuda-mismatch
    .pip_install("deepspeed==0.14.4")
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:18 error: torch without a pin (today NEWEST) is built for CUDA 13.2, and nvidia/cuda:12.4.1-devel-ubuntu22.04 has the toolkit of CUDA 12.4.1
#     why: torch refuses to build an extension across CUDA majors: the image build stops, or the first JIT does
#     remedy: take a torch of CUDA 12 (its index, or an older pin), or an nvidia/cuda:13.2 base
# 11:18 warning: torch 2.4.1 is built for CUDA 12.1, and nvidia/cuda:11.8.0-devel-ubuntu22.04 has the toolkit of CUDA 11.8.0
#     why: torch refuses to build an extension across CUDA majors: the image build stops, or the first JIT does
#     remedy: take a torch of CUDA 11 (its index, or an older pin), or an nvidia/cuda:12.1 base
