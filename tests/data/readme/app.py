import modal

app = modal.App("seizure-mamba")
image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-runtime-ubuntu22.04", add_python="3.11")
    .apt_install("git")
    .pip_install("torch==2.2.2", "numpy<2")
    .pip_install("mamba-ssm==2.2.4", "causal-conv1d==1.4.0", extra_options="--no-build-isolation")
)


@app.function(
    image=image,
    gpu="A100-80GB",
    timeout=30 * 60 * 60,
    volumes={"/data": modal.CloudBucketMount("eeg-data", key_prefix="tusz", secret=modal.Secret.from_name("aws"))},
)
def train(epochs: int = 100): ...
