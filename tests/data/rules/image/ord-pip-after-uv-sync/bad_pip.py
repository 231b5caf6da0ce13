import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .uv_sync()
    .pip_install("einops")  # expect: ord-pip-after-uv-sync
    .run_commands("pip install wandb")  # expect: ord-pip-after-uv-sync
)
app = modal.App("a", image=image)
