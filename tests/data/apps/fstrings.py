import os
from pathlib import Path

import modal

MINUTES = 60
HOURS = 60 * MINUTES
CUDA = "12.4.1"
FLAVOR = "devel"
TAG = f"{CUDA}-{FLAVOR}-ubuntu22.04"
VLLM = "0.6.3"
N_GPU = 4
GPU = os.environ.get("APP_GPU", "H100")
HERE = Path(__file__).parent
APT = ["git", "wget"]
EXTRA = ("a==1", "b==2")
VOLUMES = {str(Path("/models")): modal.Volume.from_name(f"models-{VLLM}")}

image = (
    modal.Image.from_registry(f"nvidia/cuda:{TAG}", add_python="3.12")
    .entrypoint([])
    .apt_install(*APT)
    .uv_pip_install(f"vllm=={VLLM}", *EXTRA, "c" + "==3")
    .env({"HF_HUB_ENABLE_HF_TRANSFER": "1", **{"A": "b"}})
    .add_local_dir(HERE / "src", "/root/src", ignore=["*.pyc"])
)

app = modal.App(name="fstrings", image=image, secrets=[modal.Secret.from_name("hf")])


@app.function(gpu=f"H100:{N_GPU}", timeout=2 * HOURS, volumes=VOLUMES)
def many():
    pass


@app.function(gpu=GPU, timeout=int(1.5 * HOURS), secrets=[modal.Secret.from_name("wandb")])
def chosen():
    pass


@app.function(gpu=os.environ["GPU"], timeout=int(os.environ["T"]))
def unknown():
    pass
