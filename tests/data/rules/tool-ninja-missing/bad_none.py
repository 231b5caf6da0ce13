import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.8.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.11.0+cu128", "packaging", "wheel", extra_index_url="https://download.pytorch.org/whl/cu128")
    .pip_install("mamba-ssm==2.3.1", extra_options="--no-build-isolation")  # expect: tool-ninja-missing
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:18 info: mamba-ssm may compile, and ninja is not installed before it
#     why: one file is compiled at a time
#     remedy: add "ninja" to the step that installs its other build requirements
