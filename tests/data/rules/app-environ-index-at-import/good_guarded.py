import os

import modal

BUCKET = os.environ.get("BUCKET", "data")
if modal.is_local():
    KEY = os.environ["KEY"]
if "TOKEN" in os.environ:
    TOKEN = os.environ["TOKEN"]
try:
    USER_ID = os.environ["USER_ID"]
except KeyError:
    USER_ID = ""
os.environ["MODE"] = "train"
app = modal.App("a", image=modal.Image.debian_slim(python_version="3.11").env({"DEVICE": "cuda"}))
DEVICE = os.environ["DEVICE"]


@app.function(secrets=[modal.Secret.from_dict({"KEY": os.environ["KEY"]})])
def f():
    return os.environ["OTHER"]
