import modal

image = (
    modal.Image.from_registry("ubuntu:22.04", add_python="3.11")
    .pip_install("torch==2.4.1", "wheel", "setuptools")
    .run_commands("CC=gcc pip install --no-build-isolation torch-scatter==2.1.2")  # expect: tool-no-c-compiler
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:20 error: torch-scatter must be compiled, and ubuntu:22.04 has no C++ compiler
#     why: the image build stops at this step: gcc is not found
#     remedy: put .apt_install("build-essential") before this step
#     fix (safe):
#         line 6: '' -> '.apt_install("build-essential")\n    '
