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
