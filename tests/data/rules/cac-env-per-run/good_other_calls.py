import os
import subprocess

import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.env({"A": subprocess.getoutput("cat VERSION"), "B": describe("git describe"), "C": os.environ["HOME"]})
b = slim.env({"A": lookup("GITHUB_SHA"), "B": table["GITHUB_SHA"], "C": os.environ[name()]})
