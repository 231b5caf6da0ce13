"""Train the seizure detector on Modal.

modal run deploy/modal/app.py --action smoke            one epoch
modal run --detach deploy/modal/app.py --action train   all of it, resuming from the last checkpoint
"""

from pathlib import Path

import modal

PROJECT = Path(__file__).resolve().parent.parent.parent
HOUR = 3600

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .entrypoint([])
    .apt_install("build-essential", "ninja-build")
    # add_python brings a Python that was built with clang and would ask for it
    .env({"CC": "gcc", "CXX": "g++", "CUDA_HOME": "/usr/local/cuda"})
    .pip_install(
        "torch==2.2.2",
        "torchvision==0.17.2",
        "numpy<2",
        extra_index_url="https://download.pytorch.org/whl/cu121",
    )
    # without build isolation the build uses what is here: it must be here first
    .pip_install("packaging==24.2", "setuptools==75.8.0", "wheel==0.45.1", "ninja==1.11.1.3", "transformers<5")
    .run_commands(
        "pip install -v --no-build-isolation causal-conv1d==1.4.0",
        "pip install -v --no-build-isolation mamba-ssm==2.2.2",
    )
    .add_local_dir(str(PROJECT / "src" / "seizure"), "/root/seizure")
)

app = modal.App("seizure-training", image=image)

aws = modal.Secret.from_name(
    "aws-s3-secret", required_keys=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
)
results = modal.Volume.from_name("training-results", create_if_missing=True)
recordings = modal.CloudBucketMount("eeg-training-data", key_prefix="tusz/", secret=aws, read_only=True)


@app.function(
    gpu="A100-80GB",
    cpu=24.0,
    memory=96 * 1024,
    timeout=24 * HOUR,
    volumes={"/results": results, "/data": recordings},
)
def train(epochs: int = 100, resume: bool = True) -> dict:
    from seizure.train import fit

    history = fit(epochs, data=Path("/data"), results=Path("/results"), resume=resume)
    return {"epochs": len(history), "loss": history[-1]}


@app.function(
    gpu="A100-80GB",
    cpu=8.0,
    memory=32 * 1024,
    timeout=HOUR // 2,
    volumes={"/results": results, "/data": recordings},
)
def smoke() -> dict:
    from seizure.train import fit

    history = fit(1, data=Path("/data"), results=Path("/results"), resume=False)
    return {"epochs": len(history), "loss": history[-1]}


@app.local_entrypoint()
def main(action: str = "smoke", epochs: int = 100, resume: bool = True) -> None:
    if action == "smoke":
        print("smoke:", smoke.remote())
    elif action == "train":
        print("train:", train.remote(epochs, resume))
    else:
        raise SystemExit(f"--action is smoke or train, not {action}")
