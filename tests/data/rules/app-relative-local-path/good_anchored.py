import os
from pathlib import Path

import modal

HERE = Path(__file__).parent
image = (
    modal.Image.debian_slim(python_version="3.11")
    .add_local_dir(HERE.parent / "src", "/root/src")
    .add_local_file(str(HERE / "train.yaml"), "/root/train.yaml")
    .add_local_dir(os.path.join(os.path.dirname(__file__), "..", "configs"), "/root/configs")
    .add_local_dir("/home/me/data", "/data")
    .add_local_dir(Path.home() / "x", "/x")
    .add_local_python_source("model")
)
app = modal.App("a", image=image)
