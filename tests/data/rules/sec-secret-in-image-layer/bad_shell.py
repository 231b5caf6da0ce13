import os
from os import environ

import modal

import settings

KEY = environ["API_KEY"]
NAMES = {"HF_TOKEN": os.getenv("HF_TOKEN")}
slim = modal.Image.debian_slim(python_version="3.11").apt_install("git")
a = slim.run_commands("git config --global url.https://$GH_TOKEN@github.com/.insteadOf https://github.com/")  # expect: sec-secret-in-image-layer
b = slim.run_commands(
    "git clone https://github.com/a/b",
    "git remote set-url origin https://x:${GH_TOKEN}@github.com/a/b",  # expect: sec-secret-in-image-layer
)
c = slim.run_commands(
    "git config --system url.https://$GH_TOKEN@github.com/.insteadOf https://github.com/",  # expect: sec-secret-in-image-layer
    "git config --unset url.https://github.com/",
)
d = slim.run_commands(
    "git clone https://$GH_TOKEN@github.com/a/b",  # expect: sec-secret-in-image-layer
    "git remote set-url origin https://$GH_TOKEN@github.com/a/b",  # expect: sec-secret-in-image-layer
)
e = slim.run_commands("wandb login $WANDB_API_KEY", "aws configure set aws_secret_access_key $AWS_SECRET_ACCESS_KEY")  # expect: sec-secret-in-image-layer
f = slim.env(NAMES)  # expect: sec-secret-in-image-layer
g = slim.env({"API_KEY": KEY, "OTHER_TOKEN": f"Bearer {KEY}"})  # expect: sec-secret-in-image-layer
h = slim.run_commands(f"tool {settings.API_KEY}")  # expect: sec-secret-in-image-layer
i = slim.run_commands(f"cd {settings.HOME} && tool {os.environ['HF_TOKEN']}")  # expect: sec-secret-in-image-layer
j = slim.run_commands("git clone https://$GH_TOKEN@github.com/a/b", "rm -r b/old")  # expect: sec-secret-in-image-layer
k = slim.run_commands("git clone https://$GH_TOKEN@github.com/a/b", "echo .git", "git clone https://github.com/a/c.git")  # expect: sec-secret-in-image-layer

# What the rule says of this file:
# 11:24 warning: `git config --global …` writes $GH_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 14:6 warning: `git remote set-url …` writes $GH_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 17:6 warning: `git config --system …` writes $GH_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 21:6 warning: `git clone https://$GH_TOKEN@github.com/a/b …` writes $GH_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 22:6 warning: `git remote set-url …` writes $GH_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 24:24 warning: `wandb login $WANDB_API_KEY …` writes $WANDB_API_KEY into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 24:54 warning: `aws configure set …` writes $AWS_SECRET_ACCESS_KEY into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 25:10 error: the value of HF_TOKEN goes into a layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 26:15 error: the value of API_KEY goes into a layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 26:31 warning: the value of OTHER_TOKEN goes into a layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 27:23 warning: the value of API_KEY goes into a layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 28:23 warning: the value of HF_TOKEN goes into a layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 29:24 warning: `git clone https://$GH_TOKEN@github.com/a/b …` writes $GH_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
# 30:24 warning: `git clone https://$GH_TOKEN@github.com/a/b …` writes $GH_TOKEN into the layer
#     why: the layer is kept and shared, with the secret in it
#     remedy: give it to the step or the function with secrets=[…], and write it nowhere
