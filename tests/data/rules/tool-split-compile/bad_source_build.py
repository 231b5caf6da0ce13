import modal

image = (
    modal.Image.from_registry("nvidia/cuda:13.0.1-devel-ubuntu22.04", add_python="3.12")
    .env({"CXX": "g++"})
    .pip_install("torch==2.13.0", "packaging", "wheel", "setuptools", "ninja")
    .pip_install("causal-conv1d==1.6.1", "mamba-ssm==2.3.2.post1", extra_options="--no-build-isolation")  # expect: tool-split-compile
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:18 info: causal-conv1d must be compiled, and nvcc uses one core a file
#     why: measured on 16 cores: causal-conv1d 170 s instead of more than 540 s
#     remedy: put .env({"NVCC_APPEND_FLAGS": "--split-compile=0"}) before this step
#     fix (unsafe):
#         line 7: '' -> '.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})\n    '
# 7:42 info: mamba-ssm must be compiled, and nvcc uses one core a file
#     why: measured on 16 cores: mamba-ssm 86 s instead of 260 s
#     remedy: put .env({"NVCC_APPEND_FLAGS": "--split-compile=0"}) before this step
#     fix (unsafe):
#         line 7: '' -> '.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})\n    '
