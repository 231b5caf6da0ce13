import modal

image = (
    modal.Image.debian_slim()
    .pip_install("torch")
    .run_commands(
        "python build.py",
        gpu=["H100", "A100"],  # expect: res-gpu-list-in-build
    )
)
