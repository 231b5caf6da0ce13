from pathlib import Path

import modal

ROOT = Path(__file__).resolve().parents[2]  # expect: app-path-parents-index
image = modal.Image.debian_slim(python_version="3.11").add_local_dir(
    Path(__file__).parents[3] / "src",  # expect: app-path-parents-index
    "/root/src",
)
app = modal.App("a", image=image)
