import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.3.2-devel-ubuntu24.04", add_python="3.11")  # expect: tool-gcc-too-new
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch==2.2.2", "packaging", "wheel")
    .pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 4:31 warning: ubuntu24.04 compiles with gcc 13, and nvcc of CUDA 12.3.2 supports gcc 12 at most
#     why: the build of mamba-ssm stops with: unsupported GNU version
#     remedy: take the same CUDA on an older Ubuntu, or install gcc-12 and set CC and CXX to it
