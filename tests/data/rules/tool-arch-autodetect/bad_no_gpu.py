import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel", "ninja")
    .run_commands("pip install --no-build-isolation git+https://github.com/camenduru/simple-knn@4f10e96c")  # expect: tool-arch-autodetect
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:20 error: simple-knn is built for the GPUs that the builder sees, and it sees none
#     why: the build stops with IndexError, or leaves out the CUDA code without a message
#     remedy: set .env({"TORCH_CUDA_ARCH_LIST": "8.0;9.0"}) before this step, or give the step gpu=
