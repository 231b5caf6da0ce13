import modal

app = modal.App("x")
secret = modal.Secret.from_name("wandb", required=False)  # expect: dep-unknown-kwarg
image = modal.Image.debian_slim().run_commands("make", timeout=60)  # expect: dep-unknown-kwarg


@app.function(
    gpu="T4",
    enable_gpu_snapshot=True,  # expect: dep-unknown-kwarg
    _allow_background_volume_commits=True,  # expect: dep-unknown-kwarg
)
def f():
    pass
