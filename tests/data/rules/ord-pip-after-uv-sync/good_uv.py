import modal

image = modal.Image.debian_slim(python_version="3.11").pip_install("numpy").uv_sync().uv_pip_install("einops").run_commands("uv pip install wandb")
has_pip = modal.Image.debian_slim(python_version="3.11").uv_sync().uv_pip_install("pip").pip_install("einops")
app = modal.App("a", image=image)
