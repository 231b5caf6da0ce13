import modal

image = (
    modal.Image.from_registry(
        "nvidia/cuda:12.4.1-devel-ubuntu22.04",
        add_python="3.11",
        force_build=True,  # expect: cac-force-build-left
    )
    .pip_install("torch==2.6.0")
    .run_commands("pip install ninja", force_build=True)  # expect: cac-force-build-left
)
app = modal.App("a", image=image)
