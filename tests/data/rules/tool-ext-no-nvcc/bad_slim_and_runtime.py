import modal

slim = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.4.1", "packaging")
    .pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8", extra_options="--no-build-isolation")  # expect: tool-ext-no-nvcc
)
runtime = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-runtime-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.4.1", "packaging", "wheel")
    .run_commands(
        "CXX=g++ pip install --no-build-isolation causal-conv1d==1.5.0.post8",  # expect: tool-ext-no-nvcc
        "pip install flash-attn",  # expect: tool-ext-no-nvcc
    )
)
app = modal.App("a", image=slim)

# What the rule says of this file:
# 6:18 error: mamba-ssm is installed from source, and debian_slim has no nvcc
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: start from an nvidia/cuda:…-devel-… image of torch's CUDA version, or install a wheel by its address
# 6:38 error: causal-conv1d is installed from source, and debian_slim has no nvcc
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: start from an nvidia/cuda:…-devel-… image of torch's CUDA version, or install a wheel by its address
# 12:10 error: causal-conv1d is installed from source, and nvidia/cuda:12.4.1-runtime-ubuntu22.04 has no nvcc
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: start from an nvidia/cuda:…-devel-… image of torch's CUDA version, or install a wheel by its address
# 13:10 error: flash-attn is installed from source, and nvidia/cuda:12.4.1-runtime-ubuntu22.04 has no nvcc
#     why: the image build stops at this step, after torch was downloaded (3 to 5 min)
#     remedy: start from an nvidia/cuda:…-devel-… image of torch's CUDA version, or install a wheel by its address
