import os

import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .apt_install("git")
    .env({"HF_TOKEN": "", "TOKENIZERS_PARALLELISM": os.environ.get("TOKENIZERS_PARALLELISM", "false"), "MAX_TOKENS": "8"})
    .run_commands(
        "git clone https://$GITHUB_TOKEN@github.com/a/b /b && cd /b && git remote set-url origin https://github.com/a/b",
        "pip install git+https://$GITHUB_TOKEN@github.com/a/c@1f2e3d4c",
        f"echo {os.environ.get('MODEL', 'small')}",
        secrets=[modal.Secret.from_name("github")],
    )
)
app = modal.App("a", image=image)


@app.function(secrets=[modal.Secret.from_dict({"HF_TOKEN": os.environ.get("HF_TOKEN", "")})])
def f():
    os.environ["WANDB_API_KEY"] = os.environ["KEY"]
