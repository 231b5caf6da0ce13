import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .apt_install("git", "clang")
    .pip_install("torch==2.4.1", "packaging", "wheel", "setuptools", "ninja")
    .run_commands(
        "git clone https://github.com/NVIDIA/apex && cd apex && pip install -v --no-build-isolation .",
        "cd apex/tests && pip install .",
        "git clone https://github.com/somebody/kaolin-tutorial kaolin && cd kaolin && pip install .",
        "cd /root && pip install -e .",
        "cd flash-attention && ls",
        "pip install .",
    )
)
app = modal.App("a", image=image)
