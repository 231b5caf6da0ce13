import os as system
from os import environ, getenv as read

import boto3
import modal
import wandb as wb
from openai import OpenAI

app = modal.App("environs")
TOKEN = environ.get("HF_TOKEN", "")


@app.function()
def go(creds):
    system.environ["MUST"]
    read("MAY")
    boto3.client("s3")
    boto3.client("s3", **creds)
    boto3.Session().client("s3")
    wb.init(project="p")
    OpenAI(api_key="x")
    environ["WRITTEN"] = "1"
    if "ASKED" in environ:
        pass
    environ.pop("POPPED")
    environ.setdefault("SET", "1")
    settings.environ["NOT"]
