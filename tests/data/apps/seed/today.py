"""The recipe as it would be written today: pinned, with causal-conv1d, release wheels for both."""

import modal

app = modal.App("brain-go-brr")
checkpoints = modal.Volume.from_name("checkpoints", create_if_missing=True)

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.0-devel-ubuntu22.04", add_python="3.11")
    .entrypoint([])
    .apt_install("git", "build-essential", "ninja-build")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install(
        "torch==2.2.2",
        "torchvision==0.17.2",
        "numpy<2",
        index_url="https://download.pytorch.org/whl/cu121",
    )
    .pip_install("packaging", "wheel", "setuptools", "ninja", "transformers==4.48.3")
    .pip_install("causal-conv1d==1.4.0", extra_options="--no-build-isolation")
    .pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")
)


@app.function(image=image, gpu="A100-80GB", timeout=24 * 60 * 60, volumes={"/checkpoints": checkpoints})
def train(config: str, resume: bool = False):
    import subprocess

    subprocess.run(["python", "-m", "seizure.train", config, "--resume", str(resume)], check=True)
