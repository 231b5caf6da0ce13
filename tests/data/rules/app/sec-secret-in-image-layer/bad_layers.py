import os

import modal

import settings

TOKEN = os.environ.get("WANDB_API_KEY", "")
image = (
    modal.Image.debian_slim(python_version="3.11")
    .apt_install("git")
    .env(
        {
            "HF_HOME": "/cache",
            "HF_TOKEN": os.environ["HF_TOKEN"],  # expect: sec-secret-in-image-layer
            "WANDB_API_KEY": TOKEN,  # expect: sec-secret-in-image-layer
            "GH_TOKEN": settings.GH_TOKEN,  # expect: sec-secret-in-image-layer
        }
    )
    .run_commands(
        f"wandb login {TOKEN}",  # expect: sec-secret-in-image-layer
        "huggingface-cli login --token $HF_TOKEN",  # expect: sec-secret-in-image-layer
        "git clone https://$GITHUB_TOKEN@github.com/a/b /b",  # expect: sec-secret-in-image-layer
        "echo machine github.com password $GITHUB_TOKEN > ~/.netrc",  # expect: sec-secret-in-image-layer
        secrets=[modal.Secret.from_name("github")],
    )
)
app = modal.App("a", image=image)
