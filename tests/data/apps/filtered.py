import os

import modal

app = modal.App("filtered")
KEYS = ("HF_TOKEN", "WANDB_API_KEY")
present = modal.Secret.from_dict({key: os.environ[key] for key in KEYS if os.environ.get(key)})
walrus = modal.Secret.from_dict({k: v for k in KEYS if (v := os.environ.get(k))})
CARDS = {"small": {"gpu": "L4", "token": os.environ["SMALL"]}, "large": {"gpu": "H100", "token": os.environ["LARGE"]}}
packages = ["torch", *[p for p in ("a", "b") if unknown(p)]]


def from_machine():
    if not all(os.environ.get(key) for key in KEYS):
        return []
    return [modal.Secret.from_dict({key: os.environ[key] for key in KEYS})]


@app.function(secrets=[present, walrus])
def go():
    pass


@app.function(secrets=from_machine(), image=modal.Image.debian_slim("3.12").pip_install(*packages))
def helper():
    pass


for name, spec in CARDS.items():
    app.function(gpu=spec["gpu"], secrets=[modal.Secret.from_dict({"TOKEN": spec["token"]})])(go)
