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
