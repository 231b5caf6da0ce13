import modal


def download_model():
    from huggingface_hub import snapshot_download

    snapshot_download("state-spaces/mamba-2.8b")


image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("huggingface-hub==0.36.0")
    .run_function(download_model)  # expect: cac-weights-in-image
    .run_commands(
        "mkdir -p /models",
        "huggingface-cli download state-spaces/mamba-130m",  # expect: cac-weights-in-image
        "cd /models && wget -q https://example.com/model.safetensors",  # expect: cac-weights-in-image
        """python -c "import torch; torch.hub.load('a/b', 'c')" """,  # expect: cac-weights-in-image
    )
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 13:6 info: run_function puts model weights into the image (download_model calls snapshot_download)
#     remedy: download them once into a Volume that the functions mount
# 16:10 info: run_commands puts model weights into the image (huggingface-cli download)
#     remedy: download them once into a Volume that the functions mount
# 17:24 info: run_commands puts model weights into the image (wget)
#     remedy: download them once into a Volume that the functions mount
# 18:12 info: run_commands puts model weights into the image (hub.load)
#     remedy: download them once into a Volume that the functions mount
