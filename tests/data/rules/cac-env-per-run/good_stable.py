import os
import time

import modal

CUDA = os.environ.get("CUDA_VERSION", "12.4.1")
started = time.time()
image = (
    modal.Image.debian_slim(python_version="3.11")
    .env({"HF_HOME": "/cache", "MODE": os.environ.get("MODE", "train")})
    .run_commands(f"echo {CUDA}", "date")
)
app = modal.App("a", image=image)


@app.function(image=image, env={"STAMP": str(time.time())})
def f():
    return started
