import modal

image = (
    modal.Image.from_registry("nvidia/cuda:11.8.0-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.4.1")  # expect: ver-torch-base-cuda-mismatch
)
app = modal.App("x", image=image)


@app.function(gpu="T4")
def build():
    from torch.utils import cpp_extension

    cpp_extension.load("x", ["x.cu"])

# What the rule says of this file:
# 5:18 warning: torch 2.4.1 is built for CUDA 12.1, and nvidia/cuda:11.8.0-devel-ubuntu22.04 has the toolkit of CUDA 11.8.0
#     why: torch refuses to build an extension across CUDA majors: the image build stops, or the first JIT does
#     remedy: take a torch of CUDA 11 (its index, or an older pin), or an nvidia/cuda:12.1 base
