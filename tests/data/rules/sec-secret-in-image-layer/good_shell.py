import os

import modal

import settings

slim = modal.Image.debian_slim(python_version="3.11").apt_install("git")
a = slim.run_commands(
    "git config --global url.https://$GH_TOKEN@github.com/.insteadOf https://github.com/",
    "pip install git+https://github.com/a/b",
    "git config --global --unset url.https://github.com/",
)
b = slim.run_commands("git clone https://$GH_TOKEN@github.com/a/b /b", "rm -rf /b/.git")
c = slim.run_commands("git fetch https://$GH_TOKEN@github.com/a/b", "tool --token $HF_TOKEN", "echo $HF_TOKEN")
d = slim.run_commands("tool $HF_TOKEN > log", "echo $HOME > /tmp/home", "echo $HF_TOKEN < /dev/null")
e = slim.run_commands(f"echo {settings.NAME} {os.environ['HOME']} {len('HF_TOKEN')}")
f = slim.env({"HF_TOKEN": "none", "NAME": settings.NAME, settings.KEY: "x"}).env(load())
g = slim.run_commands("git clone https://$GH_TOKEN@github.com/a/b /b").run_commands(
    "git -C /b remote set-url origin https://github.com/a/b"
)
