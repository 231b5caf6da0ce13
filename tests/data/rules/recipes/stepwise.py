import modal

CUDA = "12.4.1"
TORCH = "2.4.1"
HOURS = 60 * 60

app = modal.App("stepwise")
image = modal.Image.from_registry(f"nvidia/cuda:{CUDA}-devel-ubuntu22.04", add_python="3.12")
image = image.entrypoint([])
image = image.apt_install(["git", "build-essential"])
image = image.env({"CXX": "g++", "CC": "gcc"})
image = image.pip_install(f"torch=={TORCH}", "numpy")
image = image.pip_install("packaging", "wheel", "ninja", "setuptools")
image = image.pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
image = image.add_local_dir("/home/me/project/src", remote_path="/root/src")

GPU = "H100"
volume = modal.Volume.from_name("runs", create_if_missing=True)


@app.function(image=image, gpu=f"{GPU}:4", timeout=8 * HOURS, volumes={"/runs": volume})
def finetune():
    import subprocess

    subprocess.run(["torchrun", "--nproc-per-node=4", "/root/src/train.py"], check=True)
