"""The recipe that the notes call fully working."""

import modal

app = modal.App("brain-go-brr")

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.0-devel-ubuntu22.04", add_python="3.11")
    .entrypoint([])
    .apt_install("git", "build-essential", "ninja-build")
    .pip_install(
        "torch==2.2.2",
        "torchvision==0.17.2",
        "numpy<2",
        index_url="https://download.pytorch.org/whl/cu121",
    )
    .pip_install("packaging")
    .run_commands("CC=gcc CXX=g++ pip install -v --no-build-isolation 'mamba-ssm>=2.0.0'")
)


@app.function(image=image, gpu="A100-80GB", timeout=24 * 60 * 60)
def train(config: str, resume: bool = False):
    import subprocess

    subprocess.run(["python", "-m", "seizure.train", config, "--resume", str(resume)], check=True)
