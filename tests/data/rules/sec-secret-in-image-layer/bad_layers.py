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

# What the rule says of this file:
# 14:13 error: the value of HF_TOKEN goes into a layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 15:13 error: the value of WANDB_API_KEY goes into a layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 16:13 warning: the value of GH_TOKEN goes into a layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 20:9 warning: the value of WANDB_API_KEY goes into a layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 21:10 warning: `huggingface-cli login --token …` writes $HF_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 22:10 warning: `git clone https://$GITHUB_TOKEN@github.com/a/b …` writes $GITHUB_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 23:10 warning: `echo machine github.com …` writes $GITHUB_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
