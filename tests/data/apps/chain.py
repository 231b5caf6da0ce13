import modal

app = modal.App("chain")

image = (
    modal.Image.debian_slim(python_version="3.11")
    # git for the requirement below
    .apt_install("git", "ffmpeg")
    .pip_install("torch==2.6.0", "numpy<2", index_url="https://download.pytorch.org/whl/cu124")
    .pip_install(["einops", "packaging"])
    .run_commands("pip install --no-build-isolation 'mamba-ssm>=2.0.0'", gpu="A10G")
    .env({"HF_HOME": "/cache", "PATH": "/opt/x/bin:$PATH"})
    # .pip_install("never")
    .workdir("/root/work")
)


@app.function(
    image=image,
    gpu="A100-80GB",
    timeout=24 * 60 * 60,
    secrets=[modal.Secret.from_name("aws-s3-secret", required_keys=["AWS_REGION"])],
    volumes={"/cache": modal.Volume.from_name("cache", create_if_missing=True)},
    cpu=8,
    memory=(1024, 2048),
    retries=3,
)
def train(epochs: int = 1):
    return epochs


@app.function()
def plain():
    return 1


@app.local_entrypoint()
def main():
    train.remote()
