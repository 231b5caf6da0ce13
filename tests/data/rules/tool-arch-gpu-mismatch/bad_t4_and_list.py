import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++", "TORCH_CUDA_ARCH_LIST": "8.0"})  # expect: tool-arch-gpu-mismatch
    .pip_install("torch==2.4.1", "packaging", "wheel")
    .pip_install("pytorch3d", extra_options="--no-build-isolation")
)
flash = image.pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")  # expect: tool-arch-gpu-mismatch
app = modal.App("a", image=image)


@app.function(gpu="H100")
def train():
    pass


@app.function(gpu="T4", image=flash)
def infer():
    pass

# What the rule says of this file:
# 5:25 error: TORCH_CUDA_ARCH_LIST="8.0" has nothing that runs on H100
#     why: the first forward fails on the GPU: no kernel image is available
#     remedy: add its compute capability, for example 9.0 for an H100
# 5:25 error: TORCH_CUDA_ARCH_LIST="8.0" has nothing that runs on T4
#     why: the first forward fails on the GPU: no kernel image is available
#     remedy: add its compute capability, for example 9.0 for an H100
# 9:27 error: flash-attn has no kernels for T4: it needs compute capability 8.0
#     why: the first forward fails on the GPU: no kernel image is available
#     remedy: ask for an A10, L4, A100 or newer, or leave it out for this function
