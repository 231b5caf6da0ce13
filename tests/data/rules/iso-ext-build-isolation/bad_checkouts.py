import modal

GS = "/opt/gaussian-splatting"
image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .apt_install("git", "clang")
    .pip_install("torch==2.4.1", "packaging", "wheel", "setuptools", "ninja")
    .run_commands(
        "git clone https://github.com/NVIDIA/apex /src/apex_here",
        "cd /src/apex_here && git checkout 24.04.01 && pip install -v .",  # expect: iso-ext-build-isolation
        f"git clone --recursive https://github.com/graphdeco-inria/gaussian-splatting {GS}",
        f"cd {GS} && pip install submodules/diff-gaussian-rasterization",  # expect: iso-ext-build-isolation
        f"pip install {GS}/submodules/simple-knn",  # expect: iso-ext-build-isolation
    )
    .run_commands("git clone https://github.com/Dao-AILab/flash-attention && cd flash-attention && pip install -e .")  # expect: iso-ext-build-isolation
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 10:56 error: apex is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
#     fix (unsafe):
#         line 10: 'pip install' -> 'pip install --no-build-isolation'
# 12:9 error: diff-gaussian-rasterization is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
# 13:9 error: simple-knn is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
# 15:100 error: flash-attn is installed with build isolation, where the image's torch is not seen
#     why: the image build stops, or the extension is built for another torch and fails at run time on the GPU
#     remedy: install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"
#     fix (unsafe):
#         line 15: 'pip install' -> 'pip install --no-build-isolation'
