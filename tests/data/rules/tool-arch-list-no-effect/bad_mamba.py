import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"TORCH_CUDA_ARCH_LIST": "8.0"})  # expect: tool-arch-list-no-effect
    .pip_install("torch==2.4.1", "packaging", "wheel", "ninja")
    .pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8", extra_options="--no-build-isolation")
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:11 info: TORCH_CUDA_ARCH_LIST has no effect on mamba-ssm and causal-conv1d, which list their own architectures
#     remedy: leave it out, unless something compiles at run time
