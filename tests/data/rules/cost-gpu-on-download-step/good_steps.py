import modal


def build():
    import torch

    torch.compile(model)


def fetch():
    from huggingface_hub import snapshot_download

    snapshot_download("org/model")


image = (
    modal.Image.debian_slim()
    .run_function(build, gpu="B200")
    .run_function(fetch)
    .run_commands("git clone https://x/y && pip install ./y", gpu="T4")
)
