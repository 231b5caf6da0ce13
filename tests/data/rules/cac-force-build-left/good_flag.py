import os

import modal

REBUILD = False
image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.6.0", force_build=REBUILD)
    .run_commands("pip install ninja", force_build=False)
    .env({"MAMBA_FORCE_BUILD": "TRUE"})
    .apt_install("git", force_build=os.environ.get("REBUILD") == "1")
)
app = modal.App("a", image=image)
