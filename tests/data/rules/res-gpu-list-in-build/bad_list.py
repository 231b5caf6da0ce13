import modal

image = (
    modal.Image.debian_slim()
    .pip_install("torch")
    .run_commands(
        "python build.py",
        gpu=["H100", "A100"],  # expect: res-gpu-list-in-build
    )
)

# What the rule says of this file:
# 8:9 error: run_commands gets a list of GPUs; a build step takes one
#     why: the image build stops at this step
#     remedy: write gpu='H100'
#     fix (safe):
#         line 8: '["H100", "A100"]' -> '"H100"'
