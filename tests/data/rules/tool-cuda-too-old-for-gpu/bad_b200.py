import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.6.0")  # expect: tool-cuda-too-old-for-gpu
built = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")  # expect: tool-cuda-too-old-for-gpu
    .env({"CXX": "g++"})
    .pip_install("torch==2.8.0", "packaging", "wheel")
    .pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")
)
app = modal.App("a", image=image)


@app.function(gpu="B200")
def one():
    pass


@app.function(gpu="B200:2", image=built)
def two():
    pass

# What the rule says of this file:
# 3:68 error: torch 2.6.0 is built for CUDA 12.4, and B200 needs 12.8 or newer
#     why: the first kernel fails on the GPU: no kernel image is available
#     remedy: take torch 2.7 from the cu128 index, or torch 2.8 or newer
# 5:31 error: nvidia/cuda:12.4.1-devel-ubuntu22.04 has the toolkit of CUDA 12.4.1, and B200 needs 12.8 or newer
#     why: mamba-ssm is built without code for this GPU
#     remedy: take an nvidia/cuda base of CUDA 12.8 or newer
