import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"TORCH_CUDA_ARCH_LIST": "8.0", "CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel", "ninja")
    .pip_install("mamba-ssm==2.2.4", "pytorch3d", extra_options="--no-build-isolation")
)
app = modal.App("a", image=image)
