import modal

models = modal.Volume.from_name("models", create_if_missing=True)


def download_model():
    from huggingface_hub import snapshot_download

    snapshot_download("state-spaces/mamba-2.8b", local_dir="/models")


def check():
    print("ok")


image = (
    modal.Image.debian_slim(python_version="3.11")
    .run_function(download_model, volumes={"/models": models})
    .run_function(check)
    .run_commands("wget -q https://example.com/config.json", "pip install huggingface-hub==0.36.0")
)
app = modal.App("a", image=image)
