import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel")
    .pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.5.0.post8")  # expect: iso-ext-build-isolation
    .uv_pip_install("flash-attn==2.6.3")  # expect: iso-ext-build-isolation
    .run_commands("pip install git+https://github.com/NVlabs/nvdiffrast@v0.3.3")  # expect: iso-ext-build-isolation
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:18 error: mamba-ssm is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
#     fix (safe):
#         line 7: '' -> ', extra_options="--no-build-isolation"'
# 7:38 error: causal-conv1d is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
#     fix (safe):
#         line 7: '' -> ', extra_options="--no-build-isolation"'
# 8:21 error: flash-attn is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
#     fix (safe):
#         line 8: '' -> ', extra_options="--no-build-isolation"'
# 9:20 error: nvdiffrast is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
#     fix (safe):
#         line 9: 'pip install' -> 'pip install --no-build-isolation'
