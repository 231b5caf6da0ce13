"""Set HF_TOKEN=hf_QwErTyUiOpAsDfGhJkLzXcVbNmQwErTy first."""

import os

import modal

COMMIT = "4f10e96c0d2b7a8896de11b7f0a8c7cf6de0b1aa"
secret = modal.Secret.from_dict(
    {
        "HF_TOKEN": "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "OPENAI_API_KEY": "sk-your-key-goes-here-your-key-goes-here",
        "WANDB_API_KEY": os.environ.get("WANDB_API_KEY", ""),
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "API_KEY": "the-name-of-my-key-in-the-store",
    }
)
token = "/run/secrets/some-long-path/with/many/parts1"
app = modal.App("a", secrets=[secret])
