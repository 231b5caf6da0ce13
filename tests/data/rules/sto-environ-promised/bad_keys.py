import os

import boto3
import modal
import wandb
from huggingface_hub import login

app = modal.App("x")
slim = modal.Image.debian_slim(python_version="3.12").pip_install("wandb")
cuda = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")


def helper():
    return os.environ["FROM_A_HELPER"]  # expect: sto-environ-promised


@app.function(image=slim)
def nothing():
    return os.environ["PLAIN"], helper()  # expect: sto-environ-promised


@app.function(image=cuda)
def on_cuda():
    return os.environ["SERVICE_API_KEY"]  # expect: sto-environ-promised


@app.function(image=cuda, gpu="A100", secrets=[modal.Secret.from_name("wandb")])
def train():
    wandb.init(project="x")  # expect: sto-environ-promised
    return os.environ["OTHER"]  # expect: sto-environ-promised


@app.function(image=slim)
def bucket():
    return boto3.client("s3").list_buckets()  # expect: sto-environ-promised


@app.cls(image=slim, secrets=[modal.Secret.from_dict({"A": "1"})])
class Model:
    @modal.enter()
    def start(self):
        login()  # expect: sto-environ-promised
        self.key = os.environ["B"]  # expect: sto-environ-promised

# What the rule says of this file:
# 14:12 warning: nothing reads os.environ["FROM_A_HELPER"], and no secret, env= or .env() of its image sets it
#     why: the container does not have your shell's variables: it stops at this line, on the GPU
#     remedy: give it a secret that holds it: modal.Secret.from_name("…", required_keys=["FROM_A_HELPER"])
# 19:12 warning: nothing reads os.environ["PLAIN"], and no secret, env= or .env() of its image sets it
#     why: the container does not have your shell's variables: it stops at this line, on the GPU
#     remedy: give it a secret that holds it: modal.Secret.from_name("…", required_keys=["PLAIN"])
# 24:12 warning: on_cuda reads os.environ["SERVICE_API_KEY"], and no secret, env= or .env() of its image sets it
#     why: the container does not have your shell's variables: it stops at this line, on the GPU
#     remedy: give it a secret that holds it: modal.Secret.from_name("…", required_keys=["SERVICE_API_KEY"])
# 29:5 info: train reads WANDB_API_KEY through wandb.init; of its secrets ('wandb') none promises it
#     why: Modal then refuses a secret without it when the app starts, before the GPU is paid
#     remedy: name it: modal.Secret.from_name("wandb", required_keys=["WANDB_API_KEY"])
# 30:12 info: train reads os.environ["OTHER"]; of its secrets ('wandb') none promises it
#     why: Modal then refuses a secret without it when the app starts, before the GPU is paid
#     remedy: name it: modal.Secret.from_name("wandb", required_keys=["OTHER"])
# 35:12 warning: bucket reads AWS_ACCESS_KEY_ID through boto3.client, and no secret, env= or .env() of its image sets it
#     why: the container does not have your shell's variables: it stops at this line, on the GPU
#     remedy: give it a secret that holds it: modal.Secret.from_name("…", required_keys=["AWS_ACCESS_KEY_ID"])
# 35:12 warning: bucket reads AWS_SECRET_ACCESS_KEY through boto3.client, and no secret, env= or .env() of its image sets it
#     why: the container does not have your shell's variables: it stops at this line, on the GPU
#     remedy: give it a secret that holds it: modal.Secret.from_name("…", required_keys=["AWS_SECRET_ACCESS_KEY"])
# 42:9 warning: Model reads HF_TOKEN through huggingface_hub.login, and no secret, env= or .env() of its image sets it
#     why: the container does not have your shell's variables: it stops at this line, on the GPU
#     remedy: give it a secret that holds it: modal.Secret.from_name("…", required_keys=["HF_TOKEN"])
# 43:20 warning: Model reads os.environ["B"], and no secret, env= or .env() of its image sets it
#     why: the container does not have your shell's variables: it stops at this line, on the GPU
#     remedy: give it a secret that holds it: modal.Secret.from_name("…", required_keys=["B"])
