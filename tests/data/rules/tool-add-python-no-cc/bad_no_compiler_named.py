import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .apt_install("build-essential", "ninja-build")
    .pip_install("torch==2.2.2", index_url="https://download.pytorch.org/whl/cu121")
    .pip_install("packaging", "wheel", "setuptools")
    .run_commands("pip install -v --no-build-isolation 'mamba-ssm>=2.0.0'")  # expect: tool-add-python-no-cc
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 8:20 error: mamba-ssm must be compiled, and the Python of add_python asks for clang++, which is not there
#     why: the image build stops at this step: `which clang++` finds nothing
#     remedy: put .env({"CC": "gcc", "CXX": "g++"}) before this step
#     fix (safe):
#         line 8: '' -> '.env({"CC": "gcc", "CXX": "g++"})\n    '
