import modal

app = modal.App("chain")
checkpoints = modal.Volume.from_name("checkpoints", create_if_missing=True)

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .entrypoint([])
    .apt_install("git", "ninja-build")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install(
        "torch==2.4.1",
        "torchvision==0.19.1",
        "transformers==4.48.3",
        index_url="https://download.pytorch.org/whl/cu124",
        extra_index_url="https://mirror.example/simple",
    )
    .pip_install("packaging", "wheel", "setuptools", "ninja")
    .pip_install(
        "causal-conv1d==1.5.0.post8",
        "mamba-ssm==2.2.4",
        extra_options="--no-build-isolation",
    )
    .add_local_python_source("model")
)


@app.function(
    image=image,
    gpu="A100-80GB",
    timeout=24 * 60 * 60,
    volumes={"/checkpoints": checkpoints},
)
def train(epochs: int = 100):
    import model

    model.train(epochs)
