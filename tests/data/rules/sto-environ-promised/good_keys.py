import os

import boto3
import modal
import wandb
from botocore import UNSIGNED
from botocore.config import Config
from huggingface_hub import login

app = modal.App("x")
slim = modal.Image.debian_slim(python_version="3.12").env({"IN_IMAGE": "1"})
cuda = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
docker = modal.Image.from_dockerfile("Dockerfile")
LOCAL = os.environ["AT_IMPORT"]
os.environ["SET_HERE"] = "1"


@app.function(image=slim, secrets=[modal.Secret.from_name("wandb", required_keys=["WANDB_API_KEY"])])
def promised():
    wandb.init(project="x")
    return os.environ["WANDB_API_KEY"], os.environ["IN_IMAGE"], os.environ["SET_HERE"], os.environ["PATH"]


@app.function(image=slim, secrets=[modal.Secret.from_dict({"KEY": "1"}), modal.Secret.from_local_environ(["LOCAL_KEY"])])
def of_values():
    return os.environ["KEY"], os.environ["LOCAL_KEY"], os.getenv("MAY"), os.environ.get("MAY_TOO")


@app.function(image=slim, env={"GIVEN": "1"})
def by_env():
    return os.environ["GIVEN"], os.environ["MODAL_TASK_ID"], os.environ["CUDA_VISIBLE_DEVICES"]


@app.function(image=cuda)
def in_the_base():
    return os.environ["NCCL_VERSION"]


@app.function(image=docker)
def in_a_dockerfile():
    return os.environ["WHATEVER"]


@app.function(image=slim, secrets=[modal.Secret.from_dotenv()])
def from_a_file():
    return os.environ["ANY"]


@app.function(image=slim, secrets=make_secrets())
def open_secrets():
    return os.environ["ANY"]


@app.function(image=slim, **options)
def open_options():
    return os.environ["ANY"]


@app.function(image=slim)
def caught_or_asked():
    try:
        os.environ["CAUGHT"]
    except KeyError:
        pass
    if "ASKED" in os.environ:
        return os.environ["ASKED"]
    return os.environ["LOCAL_RANK"]


@app.function(image=slim)
def brings_its_own(token: str):
    boto3.client("s3", config=Config(signature_version=UNSIGNED))
    boto3.Session("id", "secret")
    login(token)
    wandb.init(mode="offline")


@app.local_entrypoint()
def main():
    return os.environ["OF_MY_SHELL"], here()


def here():
    return os.environ["ALSO_OF_MY_SHELL"]


@app.function(image=slim, gpu=os.environ["GPU"])
def chosen_where_it_is_deployed(seed: str = os.environ["SEED"]):
    return seed
