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
