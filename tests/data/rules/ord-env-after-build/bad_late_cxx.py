import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.4.1", "packaging", "wheel")
    .pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8", extra_options="--no-build-isolation")
    .env({"CXX": "g++", "HF_HOME": "/cache"})  # expect: ord-env-after-build
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:11 warning: CXX is set after causal-conv1d was built (line 6)
#     why: the build ran without it
#     remedy: put this .env before the build
