import os
from pathlib import Path

import modal

try:
    import tomllib
except ImportError:
    tomllib = None

image = modal.Image.debian_slim(python_version="3.12").pip_install("torch")
if os.environ.get("WITH_VLLM"):
    image = image.pip_install("vllm")
else:
    image = image.pip_install("transformers")

local = image.add_local_file("config.toml", "/root/config.toml") if Path("config.toml").exists() else image

packages = ["one"]
if os.environ["MORE"]:
    packages.append("two")
listed = modal.Image.debian_slim().pip_install(*packages)

looped = modal.Image.debian_slim()
for name in ["a", "b"]:
    looped = looped.add_local_dir(name, f"/root/{name}")
for name in os.listdir("."):
    looped = looped.add_local_file(name, f"/root/{name}")

skipping = modal.Image.debian_slim()
for name in ("a", "b", "c"):
    if name == "b":
        continue
    skipping = skipping.pip_install(name)

while os.environ["AGAIN"]:
    skipping = skipping.pip_install("again")

app = modal.App("branches")


@app.function(image=local)
def both():
    pass


@app.function(image=listed)
def lists():
    pass


@app.function(image=looped)
def loops():
    pass


@app.function(image=skipping)
def skips():
    pass
