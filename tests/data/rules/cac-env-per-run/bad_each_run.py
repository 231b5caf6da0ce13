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

# What the rule says of this file:
# 21:25 warning: .env 'REVISION' holds the git commit: the layer is new with every run
#     why: this layer and all after it are built again each time, extensions included
#     remedy: give it to the function, with env= or a Secret, or put it after everything else
# 22:20 warning: .env 'RUN' holds uuid.uuid4(): the layer is new with every run
#     why: this layer and all after it are built again each time, extensions included
#     remedy: give it to the function, with env= or a Secret, or put it after everything else
# 23:22 warning: .env 'BUILD' holds the job's variable GITHUB_SHA: the layer is new with every run
#     why: this layer and all after it are built again each time, extensions included
#     remedy: give it to the function, with env= or a Secret, or put it after everything else
# 26:19 warning: .run_commands holds time.time(): the layer is new with every run
#     why: this layer and all after it are built again each time, extensions included
#     remedy: give it to the function, with env= or a Secret, or put it after everything else
