import os
import subprocess
import time
import uuid

import modal

STAMP = str(time.time())


def revision():
    return subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()


REVISION = revision()
image = (
    modal.Image.debian_slim(python_version="3.11")
    .env(
        {
            "HF_HOME": "/cache",
            "REVISION": REVISION,  # expect: cac-env-per-run
            "RUN": uuid.uuid4().hex,  # expect: cac-env-per-run
            "BUILD": os.environ["GITHUB_SHA"],  # expect: cac-env-per-run
        }
    )
    .run_commands(f"echo {STAMP}")  # expect: cac-env-per-run
)
app = modal.App("a", image=image)
