import datetime
import os
import subprocess

import modal

KEY = "RUN"
slim = modal.Image.debian_slim(python_version="3.11")
a = slim.env(vars={"RUN": os.getenv("BUILD_ID", "0")})  # expect: cac-env-per-run
b = slim.env({KEY: os.environ.get("GITHUB_RUN_ID")})  # expect: cac-env-per-run
c = slim.dockerfile_commands(f"RUN echo {datetime.datetime.now()}")  # expect: cac-env-per-run
d = slim.run_commands("ls", env={"COMMIT": subprocess.getoutput("git rev-parse HEAD")})  # expect: cac-env-per-run

# What the rule says of this file:
# 9:27 warning: .env 'RUN' holds the job's variable BUILD_ID: the layer is new with every run
#     why: this layer and all after it are built again each time, extensions included
#     remedy: give it to the function, with env= or a Secret, or put it after everything else
# 10:20 warning: .env a variable holds the job's variable GITHUB_RUN_ID: the layer is new with every run
#     why: this layer and all after it are built again each time, extensions included
#     remedy: give it to the function, with env= or a Secret, or put it after everything else
# 11:30 warning: .dockerfile_commands holds datetime.datetime.now(): the layer is new with every run
#     why: this layer and all after it are built again each time, extensions included
#     remedy: give it to the function, with env= or a Secret, or put it after everything else
# 12:33 warning: .run_commands holds the git commit: the layer is new with every run
#     why: this layer and all after it are built again each time, extensions included
#     remedy: give it to the function, with env= or a Secret, or put it after everything else
