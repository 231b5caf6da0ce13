import modal

options = load_options()
base = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11").env({"CXX": "g++"}).pip_install("torch==2.4.1", "packaging", "wheel")
a = base.pip_install("flash-attn==2.6.3", extra_options="--no-deps")  # expect: iso-ext-build-isolation
b = base.pip_install("flash-attn==2.6.3", "einops")  # expect: iso-ext-build-isolation

# What the rule says of this file:
# 5:22 error: flash-attn is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
# 6:22 error: flash-attn is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
#     fix (unsafe):
#         line 6: '' -> ', extra_options="--no-build-isolation"'
