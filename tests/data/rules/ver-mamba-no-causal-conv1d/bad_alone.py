import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.2.2")
    .pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")  # expect: ver-mamba-no-causal-conv1d
    .pip_install("einops")
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:18 warning: mamba-ssm is installed without causal-conv1d
#     why: Mamba2 fails at the first forward, or a caught error trains a Conv1d for 24 h of A100
#     remedy: install causal-conv1d in the step before, pinned to the release that goes with this mamba-ssm
