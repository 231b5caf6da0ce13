import modal

image = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").env({"CC": "gcc", "CXX": "g++"})
image = image.pip_install("torch==2.4.1", "mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8", extra_options="--no-build-isolation")  # expect: ord-ext-before-torch
app = modal.App("a", image=image)

# What the rule says of this file:
# 4:43 error: mamba-ssm is installed in the same pip call as torch
#     why: the image build stops at this step with: No module named 'torch'
#     remedy: install torch in a step of its own before it, and build with --no-build-isolation
# 4:63 error: causal-conv1d is installed in the same pip call as torch
#     why: the image build stops at this step with: No module named 'torch'
#     remedy: install torch in a step of its own before it, and build with --no-build-isolation
