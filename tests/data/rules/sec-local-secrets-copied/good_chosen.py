from pathlib import Path

import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .add_local_dir(".", "/root/project", ignore=[".env", ".git"])
    .add_local_dir("src", "/root/src")
    .add_local_dir(Path(__file__).parent, "/root/app")
    .add_local_file(".env.example", "/root/.env.example")
)
app = modal.App("a", image=image)
